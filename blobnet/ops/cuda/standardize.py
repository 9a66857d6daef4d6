"""Standardising channels: a kernel takes the sums of parts of them, another puts these together and does the rest."""

from __future__ import annotations

from typing import Any

from blobnet.backend import Array, array_module
from blobnet.ops.cuda.launch import launch, launch_rows
from blobnet.ops.standardize import Eps, Tail

PART = 1 << 13  # numbers
MOST_PARTS = 64  # of a channel


def center(x: Array, mean: Array, out: Array) -> None:
    if x.size:
        rows, sizes = _cut(x)
        sums = array_module(x).empty(rows, x.dtype)
        launch_rows("part_moments", rows, x, sums, None, *sizes)
        launch_rows("center", rows, x, sums, mean, out, *sizes)


def standardize(x: Array, eps: Eps, mean: Array, variance: Array, deviation: Array, out: Array,
                tail: Tail | None = None) -> None:
    if x.size:
        rows, sizes = _cut(x)
        moments = array_module(x).empty((2, rows), x.dtype)
        launch_rows("part_moments", rows, x, *moments, *sizes)
        launch_rows("standardize", rows, x, *moments, *eps, mean, variance, deviation, out, *_tail(tail), *sizes)


def normalize(x: Array, mean: Array, deviation: Array, out: Array, tail: Tail | None = None) -> None:
    if x.size:
        rows, sizes = _cut(x)
        launch_rows("normalize", rows, x, mean, deviation, out, *_tail(tail), *sizes)


def tail_backward(out: Array, tail: Tail, y_diff: Array, deviation: Array, x_diff: Array, given: bool = False,
                  gradients: tuple[Array | None, Array | None] = (None, None)) -> None:
    if out.size:
        rows, sizes = _cut(out)
        y, sums = tail.y if tail.rectifies else None, array_module(out).empty((2, rows), out.dtype)
        launch_rows("part_slopes", rows, out, y, y_diff, *sums, *sizes)
        launch_rows("tail_backward", rows, out, y, y_diff, *sums, deviation, tail.factor, given, x_diff, *gradients,
                    *sizes)


def keep_statistics(mean: Array, variance: Array, sums: tuple[Array, Array, Array], fraction: float,
                    unbiased: float) -> None:
    launch("keep_statistics", mean.size, mean, variance, unbiased, fraction, *sums, mean.size)


def stored_statistics(means: Array, variances: Array, number: Array, eps: Eps, mean: Array, variance: Array,
                    deviation: Array) -> None:
    launch("stored_statistics", mean.size, means, variances, number, *eps, mean, variance, deviation, mean.size)


def _cut(x: Array) -> tuple[int, tuple[int, int, int, int]]:
    """How many parts all channels of x (N, C, S) have, and N, C, S and how many one has: by the sizes alone."""
    images, channels, positions = x.shape
    parts = max(1, min(MOST_PARTS, images * positions // PART))
    return channels * parts, (images, channels, positions, parts)


def _tail(tail: Tail | None) -> tuple[Any, ...]:
    return (None, None, False, None) if tail is None else (tail.factor, tail.bias, tail.rectifies, tail.y)
