"""Layers written by users of pycaffe."""
