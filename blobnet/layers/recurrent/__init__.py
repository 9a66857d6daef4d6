"""Layers that carry a state along a sequence."""
