"""Rows of the twins in ops/cuda/softmax.py."""

import numpy as np
from twin_rows import call

SHAPES = [(70, 10, 1), (3, 1000, 1), (2, 5, 33), (1, 300, 2), (4, 1, 1), (5, 64, 1)]


def scores(shape):
    return call(lambda rng: (rng.normal(0, 30, shape), np.zeros(shape)))


def spoiled(rng):
    """Long rows: one with NaN, one with -inf, and one of large numbers."""
    x = rng.normal(size=(6, 80, 1))
    x[0, 70], x[3, 7], x[4] = np.nan, -np.inf, 1e4
    return x, np.zeros(x.shape)


def in_place(kernel, xp, rng, dtype):
    arrays = [xp.asarray(rng.normal(size=shape).astype(dtype)) for shape in SHAPES]
    for x in arrays:
        kernel(x, x)
    return arrays


def slopes(shape):
    return call(lambda rng: (rng.dirichlet(np.ones(shape[1]), (shape[0], shape[2])).swapaxes(1, 2).copy(),
                             rng.normal(size=shape), np.zeros(shape)))


def labelled(rng, shape, counted, weights):
    """Probabilities, of which some are 0 and one is NaN, labels, which of them count, and weights."""
    outer, classes, inner = shape
    p = rng.dirichlet(np.full(classes, 0.3), (outer, inner)).swapaxes(1, 2).copy()
    labels, counts = rng.integers(0, classes, (outer, inner)), rng.random((outer, inner)) < counted
    p[0, labels[0, 0], 0] = 0
    p[-1, 0, -1], counts[-1, -1], labels[-1, -1] = np.nan, False, 0  # which does not matter
    return p, labels, counts, rng.uniform(0.5, 2, classes) if weights else None


def loss(shape, counted, normalizer, weights=False):
    def row(kernel, xp, rng, dtype):
        arrays = [xp.asarray(value.astype(dtype) if value.dtype == float else value) if value is not None else None
                  for value in labelled(rng, shape, counted, weights)]
        found = xp.empty((), dtype)
        return [found, xp.asarray(kernel(*arrays, normalizer, found), dtype)]
    return row


def loss_slopes(shape, counted, weights=False):
    return call(lambda rng: (*labelled(rng, shape, counted, weights), np.array(0.7), np.array(3.0), np.zeros(shape)))


CASES = [((7, 10, 1), 0.8), ((3, 5, 700), 0.6), ((2, 3, 2), 0.0), ((1, 1, 1), 1.0)]
ROWS = {
    "softmax": [*map(scores, SHAPES), call(spoiled), in_place],
    "softmax_backward": [slopes(shape) for shape in SHAPES],
    "softmax_loss": [*(loss(*case, normalizer, weights) for case in CASES
                       for normalizer, weights in ((None, False), (4.0, False), (None, True))),
                     loss((70000, 2, 1), 0.9, None)],  # more labels than all parts have threads
    "softmax_loss_backward": [loss_slopes(*case, weights) for case in CASES for weights in (False, True)],
    "sigmoid": [call(lambda rng: (np.array([-200.0, -20, 0, 1e-3, 20, 200, np.nan, np.inf]), np.zeros(8))),
                call(lambda rng: (rng.normal(size=(40, 6))[:, 1:], np.zeros((40, 5))))],
    "sigmoid_backward": [call(lambda rng: (rng.uniform(size=50), rng.normal(size=50), np.zeros(50)))],
}
