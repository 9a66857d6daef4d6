"""Layers that combine or normalise along an axis."""
