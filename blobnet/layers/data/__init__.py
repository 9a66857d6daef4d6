"""Layers that make their tops from outside."""
