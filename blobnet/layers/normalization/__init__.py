"""Layers that bring activities to a common scale."""
