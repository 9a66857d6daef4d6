"""Standardising: every channel of arrays (N, C, S), over N and S, brought to mean 0 and deviation 1."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from blobnet.backend import array_module
from blobnet.ops.share import CHUNK_BYTES, chunk_length, share


def center(x, mean, out) -> None:
    """mean (C) of x, and out = x - mean; out may be x."""
    xp = array_module(x)

    def part(start: int, stop: int) -> None:
        for some in _chunks(x, start, stop):
            _center(xp, x[:, some], mean[some], out[:, some])

    share(xp, part, x.shape[1] if x.size else 0)


def standardize(x, deviation_of: Callable, mean, variance, deviation, out) -> None:
    """mean and variance (C) of x, deviation = deviation_of(variance), out = (x - mean) / deviation; out may be x."""
    xp = array_module(x)

    def part(start: int, stop: int) -> None:
        for some in _chunks(x, start, stop):
            centered = out[:, some]
            _center(xp, x[:, some], mean[some], centered)
            xp.square(centered).mean(axis=(0, 2), out=variance[some])
            deviation[some] = deviation_of(variance[some])
            centered /= deviation[some, None]

    share(xp, part, x.shape[1] if x.size else 0)


def standardize_backward(out, out_diff, deviation, x_diff) -> None:
    """x_diff = (out_diff - mean of out_diff - out * mean of out_diff * out) / deviation; x_diff may be out_diff."""
    xp = array_module(out)

    def part(start: int, stop: int) -> None:
        for some in _chunks(out, start, stop):
            y, dy, dx = out[:, some], out_diff[:, some], x_diff[:, some]
            term = y * dy
            slope = term.mean(axis=(0, 2))
            xp.multiply(y, slope[:, None], out=term)
            term += dy.mean(axis=(0, 2))[:, None]
            xp.subtract(dy, term, out=dx)
            dx /= deviation[some, None]

    share(xp, part, out.shape[1] if out.size else 0)


def normalize(x, mean, deviation, out) -> None:
    """out = (x - mean) / deviation with given mean and deviation (C); out may be x."""
    xp, chunk = array_module(x), chunk_length(x)

    def part(start: int, stop: int) -> None:
        for a in range(start, stop, chunk):
            some = slice(a, min(a + chunk, stop))
            xp.subtract(x[some], mean[:, None], out=out[some])
            out[some] /= deviation[:, None]

    share(xp, part, len(x))


def _center(xp, x, mean, out) -> None:
    x.mean(axis=(0, 2), out=mean)
    xp.subtract(x, mean[:, None], out=out)


def _chunks(x, start: int, stop: int) -> Iterator[slice]:
    """The channels from `start` to `stop` in slices that stay in the cache; all of them on a GPU."""
    chunk = max(1, stop - start if array_module(x) is not np else CHUNK_BYTES // max(1, x[:, :1].nbytes))
    for a in range(start, stop, chunk):
        yield slice(a, min(a + chunk, stop))
