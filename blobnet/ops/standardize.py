"""Standardising: every channel of arrays (N, C, S), over N and S, brought to mean 0 and deviation 1.

What follows it, a factor and a bias for each channel and max(0, .), can be computed with it, some channels after the
others, while their numbers are in the cache; and so can the gradient.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from blobnet.backend import Array, array_module, cut_array, scratch, share, twin
from blobnet.ops.elementwise import is_positive, keep_positive, long_rows
from blobnet.ops.linear import channel_sums

LEAST_BYTES = 1 << 20  # of a piece of channels; the order of their sums depends on its size, so it stays as it is


class Eps(NamedTuple):
    """What keeps the deviation of a variance v from 0: sqrt(v + inside) + outside."""

    inside: float = 0.0
    outside: float = 0.0

    def deviation(self, variance: Array) -> Array:
        """The deviation of each variance."""
        return array_module(variance).sqrt(variance + self.inside) + self.outside


class Tail(NamedTuple):
    """What is computed of the standardised x̂: y = x̂ * factor + bias, or 0 where that is less, if it `rectifies`."""

    y: Array  # (N, C, S)
    factor: Array | None = None  # (C), and so the bias
    bias: Array | None = None
    rectifies: bool = False

    def write(self, standardized: Array, some: slice) -> None:
        """y of these channels; `standardized` may be their y."""
        xp, y = array_module(standardized), self.y[:, some]
        if self.factor is not None:
            xp.multiply(standardized, self.factor[some, None], out=y)
        elif standardized is not self.y:
            y[...] = standardized
        if self.bias is not None:
            xp.add(y, self.bias[some, None], out=y)
        if self.rectifies:
            keep_positive(y, y)


@twin("blobnet.ops.cuda.standardize")
def center(x: Array, mean: Array, out: Array) -> None:
    """mean (C) of x, and out = x - mean; out may be x."""
    _share_channels(lambda some: _center(x[:, some], mean[some], out[:, some]), x)


@twin("blobnet.ops.cuda.standardize")
def standardize(x: Array, eps: Eps, mean: Array, variance: Array, deviation: Array, out: Array,
                tail: Tail | None = None) -> None:
    """mean, variance and deviation (C) of x, out = (x - mean) / deviation, and `tail` of that.

    out may be x, and tail.y may be x or out.
    """
    count = x.shape[0] * x.shape[2]

    def part(some: slice) -> None:
        centered = out[:, some]
        _center(x[:, some], mean[some], centered)
        variance[some] = channel_sums(centered, centered)
        variance[some] /= count
        deviation[some] = eps.deviation(variance[some])
        centered /= deviation[some, None]
        if tail is not None:
            tail.write(centered, some)

    _share_channels(part, x)


@twin("blobnet.ops.cuda.standardize")
def normalize(x: Array, mean: Array, deviation: Array, out: Array, tail: Tail | None = None) -> None:
    """out = (x - mean) / deviation with given mean and deviation (C), and `tail` of that; out may be x, and so tail.y.
    """
    def part(some: slice) -> None:
        array_module(x).subtract(x[:, some], mean[some, None], out=out[:, some])
        out[:, some] /= deviation[some, None]
        if tail is not None:
            tail.write(out[:, some], some)

    _share_channels(part, x)


def standardize_backward(out: Array, out_diff: Array, deviation: Array, x_diff: Array) -> None:
    """x_diff = (out_diff - mean of out_diff - out * mean of out_diff * out) / deviation; x_diff may be out_diff."""
    tail_backward(out, Tail(out), out_diff, deviation, x_diff)


@twin("blobnet.ops.cuda.standardize")
def tail_backward(out: Array, tail: Tail, y_diff: Array, deviation: Array, x_diff: Array, given: bool = False,
                  gradients: tuple[Array | None, Array | None] = (None, None)) -> None:
    """x_diff, and the `gradients` (C) to the factor and the bias, for what `standardize` made of x, `out`, and `tail`.

    Of g = y_diff where y > 0, or everywhere if the tail does not rectify: sum of g * out and sum of g, which are added
    to the gradients that are wanted, and
    x_diff = (g - mean of g - out * mean of g * out) * factor / deviation, without the means if mean and deviation were
    `given`, as to `normalize`. y_diff is overwritten by g * factor; x_diff may be y_diff.
    """
    xp, (images, _, positions) = array_module(out), out.shape

    def part(some: slice, own: list[Array]) -> None:
        y, dy, dx = out[:, some], y_diff[:, some], x_diff[:, some]
        term = own[0][:, :dy.shape[1]]
        if tail.rectifies:
            is_positive(tail.y[:, some], term)
            xp.multiply(dy, term, out=dy)
        slope, shift = channel_sums(dy, y), channel_sums(dy)
        for gradient, found in zip(gradients, (slope, shift)):
            if gradient is not None:
                gradient[some] += found
        means = slope / (images * positions), shift / (images * positions)
        if tail.factor is not None:
            xp.multiply(dy, tail.factor[some, None], out=dy)
            means = means[0] * tail.factor[some], means[1] * tail.factor[some]
        if given:
            xp.divide(dy, deviation[some, None], out=dx)
            return
        xp.multiply(y, means[0][:, None], out=term)
        xp.subtract(dy, term, out=dx)
        dx -= means[1][:, None]
        dx /= deviation[some, None]

    _share_channels(part, out, lambda n: scratch(xp, ((images, n, positions), out.dtype)))


@twin("blobnet.ops.cuda.standardize")
def keep_statistics(mean: Array, variance: Array, sums: tuple[Array, Array, Array], fraction: float,
                    unbiased: float) -> None:
    """total = fraction * total + what came, for the running `sums`: of means (C), of variances * unbiased (C), and how
    many came (1,)."""
    for total, value in zip(sums, (mean, variance * unbiased, 1)):
        total *= fraction
        total += value


@twin("blobnet.ops.cuda.standardize")
def stored_statistics(means: Array, variances: Array, number: Array, eps: Eps, mean: Array, variance: Array,
                    deviation: Array) -> None:
    """mean and variance (C) = those running sums / their number (1,), or 0 while that is 0; and their deviation."""
    xp, (count,) = array_module(means), number
    scale = 1 / count if count else count
    xp.multiply(means, scale, out=mean)
    xp.multiply(variances, scale, out=variance)
    deviation[...] = eps.deviation(variance)


def _share_channels(body: Callable, x: Array, buffers: Callable | None = None) -> None:
    def part(*given) -> None:
        with long_rows(x.shape[2]):
            body(*given)

    if x.size:  # nothing has no mean
        share(part, cut_array(x, 1, least=LEAST_BYTES), buffers)


def _center(x: Array, mean: Array, out: Array) -> None:
    mean[...] = channel_sums(x)
    mean /= x.shape[0] * x.shape[2]
    array_module(x).subtract(x, mean[:, None], out=out)
