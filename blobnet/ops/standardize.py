"""Standardising: every channel of arrays (N, C, S), over N and S, brought to mean 0 and deviation 1."""

from __future__ import annotations

from collections.abc import Callable

from blobnet.backend import Array, array_module, cut_array, share

LEAST_BYTES = 1 << 16  # of a piece of channels; the order of their sums depends on its size, so it stays as it is


def center(x: Array, mean: Array, out: Array) -> None:
    """mean (C) of x, and out = x - mean; out may be x."""
    _share_channels(lambda some: _center(x[:, some], mean[some], out[:, some]), x)


def standardize(x: Array, deviation_of: Callable[[Array], Array], mean: Array, variance: Array, deviation: Array,
                out: Array) -> None:
    """mean and variance (C) of x, deviation = deviation_of(variance), out = (x - mean) / deviation; out may be x."""
    xp = array_module(x)

    def part(some: slice) -> None:
        centered = out[:, some]
        _center(x[:, some], mean[some], centered)
        xp.square(centered).mean(axis=(0, 2), out=variance[some])
        deviation[some] = deviation_of(variance[some])
        centered /= deviation[some, None]

    _share_channels(part, x)


def standardize_backward(out: Array, out_diff: Array, deviation: Array, x_diff: Array) -> None:
    """x_diff = (out_diff - mean of out_diff - out * mean of out_diff * out) / deviation; x_diff may be out_diff."""
    xp = array_module(out)

    def part(some: slice) -> None:
        y, dy, dx = out[:, some], out_diff[:, some], x_diff[:, some]
        term = y * dy
        slope = term.mean(axis=(0, 2))
        xp.multiply(y, slope[:, None], out=term)
        term += dy.mean(axis=(0, 2))[:, None]
        xp.subtract(dy, term, out=dx)
        dx /= deviation[some, None]

    _share_channels(part, out)


def normalize(x: Array, mean: Array, deviation: Array, out: Array) -> None:
    """out = (x - mean) / deviation with given mean and deviation (C); out may be x."""
    xp = array_module(x)

    def part(piece: slice) -> None:
        xp.subtract(x[piece], mean[:, None], out=out[piece])
        out[piece] /= deviation[:, None]

    share(part, cut_array(x))


def _share_channels(body: Callable[[slice], None], x: Array) -> None:
    if x.size:  # nothing has no mean
        share(body, cut_array(x, 1, least=LEAST_BYTES))


def _center(x: Array, mean: Array, out: Array) -> None:
    x.mean(axis=(0, 2), out=mean)
    array_module(x).subtract(x, mean[:, None], out=out)
