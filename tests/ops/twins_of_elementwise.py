"""Rows of the twins in ops/cuda/elementwise.py."""

import numpy as np
from twin_rows import call

SHAPE = (3, 4, 70)


def values(rng, shape=SHAPE):
    """Numbers of which some are 0, NaN or infinite."""
    x = rng.normal(size=shape)
    x.reshape(-1)[:5] = 0, -0.0, np.nan, np.inf, -np.inf
    return rng.permutation(x.reshape(-1)).reshape(shape)


def numbers(count):
    """A row with `count` arrays and room for the result."""
    return call(lambda rng: (*(values(rng) for _ in range(count)), np.zeros(SHAPE)))


def slopes(make, backward=False):
    return call(lambda rng: (values(rng), *([values(rng)] if backward else []), make(rng), np.zeros(SHAPE)))


def in_place(kernel, xp, rng, dtype):
    x = xp.asarray(values(rng).astype(dtype))
    kernel(x, 0.3, x)
    return [x]


SLOPES = [lambda rng: 0.0, lambda rng: 0.2, lambda rng: -1.0, lambda rng: rng.normal(size=(4, 1)),
          lambda rng: rng.normal(size=(1, 1)), lambda rng: rng.normal(size=(4, 70)), lambda rng: rng.normal(size=70)]
ROWS = {
    "relu_forward": [*(slopes(make) for make in SLOPES), in_place],
    "relu_backward": [slopes(make, backward=True) for make in SLOPES],
    "relu_slope_gradient": [call(lambda rng: (rng.normal(size=SHAPE), rng.normal(size=SHAPE))),
                            call(lambda rng: (rng.normal(size=(300, 2, 1)), rng.normal(size=(300, 2, 1))))],
    "tanh_backward": [numbers(2)],
    "thin": [call(lambda rng, factor=factor: (rng.normal(size=SHAPE), rng.random(SHAPE) > 0.4, factor, np.zeros(SHAPE)))
             for factor in (1.0, 1.25)],
}
