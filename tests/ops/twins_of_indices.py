"""Rows of the twins in ops/cuda/indices.py."""

from twin_rows import call

ROWS = {
    "scatter_add": [call(lambda rng: (rng.normal(size=(5, 3)), rng.integers(0, 5, 9), rng.normal(size=(9, 3))))],
}
