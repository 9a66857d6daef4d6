"""Rows of the twins in ops/cuda/pairs.py."""

import numpy as np
from twin_rows import call, on_device

SHAPES = [(1, 3), (2, 1), (7, 5), (40, 48), (300, 2)]  # rows, numbers of each


def codes(rng, shape):
    """Numbers among which are -1, 0, 1 and equal rows."""
    u = rng.normal(size=shape)
    u[0, :1], u[-1, -1:], u[len(u) // 2] = -1, 1, 0
    u[-1:] = u[:1] if len(u) == 7 else u[-1:]
    return u


def alike(rng, n):
    """Some rows are not alike themselves, as those without any label."""
    found = rng.random((n, n)) < 0.3
    return found | found.T


def signs(rng, n):
    found = rng.integers(-1, 2, (n, n)).astype(float)
    return found + found.T


def labels(rng, n, count, unknown=False):
    """0/1 labels: some rows have none, and with `unknown` some have -1 for each."""
    found = (rng.random((n, count)) < 0.4) * 1.0
    found[0] = 0
    if unknown:
        found[n // 2] = -1
    return found


def in_double(kernel, xp, rng, dtype):
    """Signs are float64, whatever u is."""
    return [kernel(on_device(signs(rng, 40), xp, "float64"), on_device(codes(rng, (40, 9)), xp, dtype))]


def loss(shape, margin, whole=False):
    """whole: codes of whole numbers, some of whose distances are the margin."""
    def row(kernel, xp, rng, dtype):
        u, both, out = codes(rng, shape), alike(rng, shape[0]), xp.zeros((), dtype)
        u = on_device(u.round() if whole else u, xp, dtype)
        found = kernel(u, on_device(both, xp, dtype), margin, 0.3, out)
        assert all(array.dtype == np.float64 for array in found)
        return [out, *found]
    return row


def gradient(shape, factor):
    def row(kernel, xp, rng, dtype):
        u, out = (on_device(codes(rng, shape), xp, dtype) for _ in range(2))
        kernel(u, on_device(signs(rng, shape[0]), xp, "float64"), xp.asarray(0.7, dtype)[()], factor, 0.3, out)
        return [out]
    return row


def not_finite(kernel, xp, rng, dtype):
    u = on_device(codes(rng, (7, 5)), xp, dtype)
    u[1, 2], u[3, 3] = xp.nan, xp.inf
    with np.errstate(invalid="ignore"):
        return [kernel(u)]


def ranking(n):
    """Some lack nothing, one just nothing, one is NaN."""
    def row(kernel, xp, rng, dtype):
        p, q = (on_device(rng.integers(-4, 5, n) / 2, xp, dtype) for _ in range(2))
        p[n // 2:n // 2 + 1] = xp.nan if n == 9 else 0
        out = xp.zeros((), dtype)
        return [kernel(p, q, 1.0, out), out]
    return row


def weighing(n, count, shared):
    def make(rng):
        a = labels(rng, n, count)
        return a @ a.T > 0 if count > 1 else alike(rng, n), a, 3.0, shared
    return call(make)


ROWS = {
    "squared_distances": [not_finite, *(call(lambda rng, shape=shape: (codes(rng, shape),)) for shape in SHAPES)],
    "pull_gradient": [in_double, *(call(lambda rng, shape=shape: (signs(rng, shape[0]), codes(rng, shape)))
                                   for shape in SHAPES)],
    "margin_loss": [loss((40, 9), 9.0, whole=True),
                    *(loss(shape, margin) for shape in SHAPES for margin in (1.0, 2.0 * shape[1]))],
    "margin_gradient": [gradient(shape, factor) for shape in SHAPES for factor in (1, 2)],
    "ranking_loss": [ranking(n) for n in (0, 1, 9, 500)],
    "label_pairs": [call(lambda rng, n=n, shared=shared, unknown=unknown: (
        labels(rng, n, 6, unknown), labels(rng, n, 6), 3.0, shared)) for n in (1, 9, 300) for shared in (False, True)
                    for unknown in (False, True)],
    "pair_weights": [weighing(n, count, shared) for n in (1, 9, 300) for count in (1, 6) for shared in (False, True)],
}
