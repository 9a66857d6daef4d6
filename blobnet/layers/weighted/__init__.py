"""Layers with weights that are multiplied with their input."""
