"""Layers that move numbers without changing them."""
