"""Local response normalisation against loops, and its gradient against differences."""

from __future__ import annotations

import numpy as np
import pytest

from blobnet.backend import pieces
from blobnet.ops.lrn import LocalNorm, lrn_backward, lrn_forward, window_sum


def run(x, norm):
    scale, factor, y = (np.full_like(x, np.nan) for _ in range(3))
    lrn_forward(x, norm, scale, factor, y)
    return y, scale, factor


def slow_lrn(x, norm):
    y = np.empty_like(x)
    for place in np.ndindex(x.shape):
        energy, half = 0.0, norm.size // 2
        ranges = [range(max(i - half, 0), min(i + half + 1, length)) if axis in norm.axes else [i]
                  for axis, (i, length) in enumerate(zip(place, x.shape))]
        for window in np.ndindex(*(len(r) for r in ranges)):
            energy += x[tuple(r[i] for r, i in zip(ranges, window))] ** 2
        y[place] = x[place] / (norm.k + norm.alpha * energy) ** norm.beta
    return y


NORMS = [LocalNorm((1,), 5, 1, 0.2, 0.75), LocalNorm((1,), 3, 2, 0.5, 0.5), LocalNorm((1,), 9, 1, 1, 1.3),
         LocalNorm((2, 3), 3, 1, 0.1, 0.75), LocalNorm((2, 3), 5, 1, 0.3, 0.6), LocalNorm((1,), 1, 1, 1, 0.75)]


@pytest.mark.parametrize("shape", [(2, 6, 4, 5), (3, 3, 1, 2), (1, 1, 5, 3)])
@pytest.mark.parametrize("norm", NORMS, ids=str)
def test_against_loops(norm, shape):
    x = np.random.default_rng(0).standard_normal(shape)
    np.testing.assert_allclose(run(x, norm)[0], slow_lrn(x, norm), rtol=1e-12)


@pytest.mark.parametrize("norm", NORMS, ids=str)
def test_gradient_is_the_derivative(norm):
    rng = np.random.default_rng(0)
    x, direction, dy = (rng.standard_normal((2, 6, 4, 5)) for _ in range(3))
    dx = np.full_like(x, np.nan)
    lrn_backward(x, *run(x, norm), dy, norm, dx)
    step = 1e-5
    slope = ((run(x + step * direction, norm)[0] - run(x - step * direction, norm)[0]) * dy).sum() / (2 * step)
    np.testing.assert_allclose((dx * direction).sum(), slope, rtol=1e-7)


def test_small_pieces_give_the_same(monkeypatch):
    x = np.random.default_rng(0).standard_normal((7, 3, 4, 5))
    want = run(x, NORMS[3])[0]
    monkeypatch.setattr(pieces, "PIECE_BYTES", 2 * x[0].nbytes)
    np.testing.assert_array_equal(run(x, NORMS[3])[0], want)


@pytest.mark.parametrize("size", [1, 3, 5, 11])
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_window_sum(axis, size):
    x = np.random.default_rng(0).standard_normal((4, 5, 3))
    out = np.full_like(x, np.nan)
    window_sum(x, size, axis, out)
    kernel = np.ones(size)
    want = np.apply_along_axis(lambda line: np.convolve(line, kernel)[size // 2:size // 2 + len(line)], axis, x)
    np.testing.assert_allclose(out, want, atol=1e-12)
