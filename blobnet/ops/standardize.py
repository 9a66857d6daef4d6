"""Standardising: every channel of arrays (N, C, S), over N and S, brought to mean 0 and deviation 1."""

from __future__ import annotations

from collections.abc import Callable

from blobnet.backend import array_module
from blobnet.ops.share import Pieces, pieces_of, share


def center(x, mean, out) -> None:
    """mean (C) of x, and out = x - mean; out may be x."""
    xp = array_module(x)

    def part(run: Pieces) -> None:
        for a, b in run:
            some = slice(a, b)
            _center(xp, x[:, some], mean[some], out[:, some])

    share(xp, part, pieces_of(x, 1) if x.size else [])


def standardize(x, deviation_of: Callable, mean, variance, deviation, out) -> None:
    """mean and variance (C) of x, deviation = deviation_of(variance), out = (x - mean) / deviation; out may be x."""
    xp = array_module(x)

    def part(run: Pieces) -> None:
        for a, b in run:
            some = slice(a, b)
            centered = out[:, some]
            _center(xp, x[:, some], mean[some], centered)
            xp.square(centered).mean(axis=(0, 2), out=variance[some])
            deviation[some] = deviation_of(variance[some])
            centered /= deviation[some, None]

    share(xp, part, pieces_of(x, 1) if x.size else [])


def standardize_backward(out, out_diff, deviation, x_diff) -> None:
    """x_diff = (out_diff - mean of out_diff - out * mean of out_diff * out) / deviation; x_diff may be out_diff."""
    xp = array_module(out)

    def part(run: Pieces) -> None:
        for a, b in run:
            some = slice(a, b)
            y, dy, dx = out[:, some], out_diff[:, some], x_diff[:, some]
            term = y * dy
            slope = term.mean(axis=(0, 2))
            xp.multiply(y, slope[:, None], out=term)
            term += dy.mean(axis=(0, 2))[:, None]
            xp.subtract(dy, term, out=dx)
            dx /= deviation[some, None]

    share(xp, part, pieces_of(out, 1) if out.size else [])


def normalize(x, mean, deviation, out) -> None:
    """out = (x - mean) / deviation with given mean and deviation (C); out may be x."""
    xp = array_module(x)

    def part(run: Pieces) -> None:
        for a, b in run:
            some = slice(a, b)
            xp.subtract(x[some], mean[:, None], out=out[some])
            out[some] /= deviation[:, None]

    share(xp, part, pieces_of(x))


def _center(xp, x, mean, out) -> None:
    x.mean(axis=(0, 2), out=mean)
    xp.subtract(x, mean[:, None], out=out)
