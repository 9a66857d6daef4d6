"""Layers for films: images with a length, (N, C, L, H, W)."""
