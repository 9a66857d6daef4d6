"""Rows of the twins in ops/cuda/standardize.py."""

import numpy as np
from twin_rows import on_device

from blobnet.ops.standardize import Eps, Tail

# Images, channels, positions: small and large planes, one image, one channel, rows of numbers, parts of a channel.
SHAPES = [(4, 3, 30), (2, 2, 700), (1, 3, 49), (5, 1, 7), (9, 4, 1), (3, 2, 6000), (1, 1, 40000), (6, 300, 2),
          (0, 3, 5)]
TAILS = [{}, {"factor": 1}, {"factor": 1, "bias": 1}, {"factor": 1, "bias": 1, "rectifies": True}, {"rectifies": True}]


def arrays(xp, rng, dtype, shape, count):
    """x far from 0, another like it, and `count` arrays (C) of numbers above 0."""
    made = [rng.normal(30, 2, shape), rng.normal(size=shape), *rng.uniform(0.5, 2, (count, shape[1]))]
    return [on_device(array, xp, dtype) for array in made]


def tail_of(y, given, rng, xp, dtype):
    """A tail with the given parts."""
    factor, bias = (on_device(rng.normal(size=y.shape[1]), xp, dtype) if part in given else None
                    for part in ("factor", "bias"))
    return Tail(y, factor, bias, given.get("rectifies", False))


def centering(shape, in_place):
    def row(kernel, xp, rng, dtype):
        x, out, mean = arrays(xp, rng, dtype, shape, 1)
        out = x if in_place else out
        kernel(x, mean, out)
        return x, out, mean
    return row


def standardizing(shape, eps, given, y_is):
    """given: the parts of a tail, None for no tail; y_is: which array it writes to."""
    def row(kernel, xp, rng, dtype):
        x, out, *of_channels = arrays(xp, rng, dtype, shape, 3)
        y = {"x": x, "out": out, "y": xp.zeros_like(x)}[y_is]
        tail = None if given is None else tail_of(y, given, rng, xp, dtype)
        kernel(x, eps, *of_channels, out, tail)
        return x, y, out, *of_channels
    return row


def normalizing(shape, given, out_is, y_is):
    def row(kernel, xp, rng, dtype):
        x, out, mean, deviation = arrays(xp, rng, dtype, shape, 2)
        out = x if out_is == "x" else out
        y = {"x": x, "out": out, "y": xp.zeros_like(x)}[y_is]
        kernel(x, mean, deviation, out, None if given is None else tail_of(y, given, rng, xp, dtype))
        return x, y, out
    return row


def backward(shape, given, in_place, stored, learns):
    def row(kernel, xp, rng, dtype):
        out, dy, deviation, of_factor, of_bias = arrays(xp, rng, dtype, shape, 3)
        y = on_device(rng.normal(size=shape), xp, dtype)
        dx = dy if in_place else xp.zeros_like(dy)
        out -= 30
        kernel(out, tail_of(y, given, rng, xp, dtype), dy, deviation, dx, stored,
               tuple(array if learnt else None for array, learnt in zip((of_factor, of_bias), learns)))
        return dy, dx, of_factor, of_bias
    return row


def keeping(channels, unbiased):
    def row(kernel, xp, rng, dtype):
        mean, variance, *sums = (on_device(rng.uniform(1, 2, channels), xp, dtype) for _ in range(4))
        number = on_device(np.array([3.5]), xp, dtype)
        kernel(mean, variance, (*sums, number), 0.9, unbiased)
        return *sums, number
    return row


def stored(number):
    def row(kernel, xp, rng, dtype):
        arrays = [on_device(rng.uniform(1, 2, 300), xp, dtype) for _ in range(5)]
        kernel(*arrays[:2], on_device(np.array([number]), xp, dtype), Eps(0.1, 0.2), *arrays[2:])
        return arrays
    return row


def not_finite(kernel, xp, rng, dtype):
    """NaN and infinity go on as in NumPy, also through a tail that rectifies."""
    x, out, *of_channels = arrays(xp, rng, dtype, (2, 3, 4), 3)
    x[0, 0, 0], x[0, 1, 1] = xp.nan, xp.inf
    with np.errstate(invalid="ignore"):
        kernel(x, Eps(1e-5), *of_channels, out, Tail(x, rectifies=True))
    return x, out, *of_channels


def not_finite_backward(kernel, xp, rng, dtype):
    y, out, dy, dx = (on_device(rng.normal(size=(2, 2, 3)), xp, dtype) for _ in range(4))
    y[0, 0, 0], dy[1, 1, 1] = xp.nan, xp.inf
    with np.errstate(invalid="ignore"):
        kernel(out, Tail(y, rectifies=True), dy, xp.ones(2, dtype), dx, True)
    return dy, dx


ROWS = {
    "center": [centering(shape, in_place) for shape in SHAPES for in_place in (False, True)],
    "standardize": [not_finite, *(standardizing(shape, Eps(1e-5), TAILS[3], "y") for shape in SHAPES),
                    *(standardizing((3, 4, 20), eps, given, y_is) for eps in (Eps(0.5), Eps(outside=0.5))
                      for given in (None, *TAILS) for y_is in ("x", "out", "y"))],
    "normalize": [*(normalizing(shape, TAILS[3], "out", "y") for shape in SHAPES),
                  *(normalizing((3, 4, 20), given, out_is, y_is) for given in (None, *TAILS) for out_is in ("x", "out")
                    for y_is in ("x", "out", "y"))],
    "tail_backward": [not_finite_backward, *(backward(shape, TAILS[3], False, False, (1, 1)) for shape in SHAPES),
                      *(backward((3, 4, 20), given, in_place, stored, learns) for given in TAILS
                        for in_place in (False, True) for stored in (False, True)
                        for learns in ((1, 1), (1, 0), (0, 1), (0, 0)))],
    "keep_statistics": [keeping(300, 1.5), keeping(1, 1)],
    "stored_statistics": [stored(0.0), stored(2.5), stored(np.nan)],
}
