"""Rows of the twins in ops/cuda/masks.py."""

from twin_rows import call

ROWS = {"sum_where": [call(lambda rng: (rng.normal(size=(5, 30)), rng.random((5, 30)) < 0.5))]}
