"""Local response normalisation, across the channels or within each."""

from __future__ import annotations

from math import prod
from typing import NamedTuple

from blobnet.backend import array_module
from blobnet.ops.share import Pieces, longest, pieces_of, share


class LocalNorm(NamedTuple):
    """What to divide by: (k + alpha * sum of x squared over windows of `size`, odd, along each of `axes`) ** beta."""

    axes: tuple[int, ...]
    size: int
    k: float
    alpha: float
    beta: float


def lrn_forward(x, norm: LocalNorm, scale, factor, out) -> None:
    """scale = k + alpha * (sum of x squared over the window), factor = scale ** -beta, out = x * factor."""
    xp, pieces = array_module(x), pieces_of(x)

    def part(run: Pieces) -> None:
        buffer = xp.empty_like(x[:longest(run)])
        for a, b in run:
            sums, powers = scale[a:b], factor[a:b]
            xp.multiply(x[a:b], x[a:b], out=powers)
            _window_sums(powers, norm.size, norm.axes, buffer[:b - a], sums)
            sums *= norm.alpha
            sums += norm.k
            _negative_power(sums, norm.beta, buffer[:b - a], powers)
            xp.multiply(x[a:b], powers, out=out[a:b])

    share(xp, part, pieces)


def lrn_backward(x, out, scale, factor, out_diff, norm: LocalNorm, x_diff) -> None:
    """x_diff = out_diff * factor - 2 alpha beta x * (sum of out_diff * out / scale over the window)."""
    xp, pieces = array_module(x), pieces_of(x)

    def part(run: Pieces) -> None:
        buffers = [xp.empty_like(x[:longest(run)]) for _ in range(3)]
        for a, b in run:
            ratio, buffer, sums = (array[:b - a] for array in buffers)
            xp.multiply(out_diff[a:b], out[a:b], out=ratio)
            ratio /= scale[a:b]
            _window_sums(ratio, norm.size, norm.axes, buffer, sums)
            sums *= x[a:b]
            sums *= 2 * norm.alpha * norm.beta
            xp.multiply(out_diff[a:b], factor[a:b], out=ratio)
            xp.subtract(ratio, sums, out=x_diff[a:b])

    share(xp, part, pieces)


def window_sum(x, size: int, axis: int, out) -> None:
    """out = the sum of x over windows of `size` (odd) along `axis`, clipped at the ends; both arrays are contiguous.

    The whole array is added to itself shifted, flat, which is far faster than slices along a short axis; what that does
    wrong near the ends of the axis is summed again.
    """
    length, inner, half = x.shape[axis], prod(x.shape[axis + 1:]), size // 2
    source, target = x.reshape(-1), out.reshape(-1)
    if half == 0 or length == 1 or not x.size:
        target[...] = source
        return
    array_module(x).add(source[:-inner], source[inner:], out=target[:-inner])
    target[-inner:] = source[-inner:]
    target[inner:] += source[:-inner]
    for distance in range(2, min(half, length - 1) + 1):
        shift = distance * inner
        target[shift:] += source[:-shift]
        target[:-shift] += source[shift:]
    source, target = source.reshape(-1, length, inner), target.reshape(-1, length, inner)
    for position in {*range(min(half, length)), *range(max(length - half, 0), length)}:
        first, last = max(position - half, 0), min(position + half, length - 1)
        target[:, position] = source[:, first]
        for other in range(first + 1, last + 1):
            target[:, position] += source[:, other]


def _window_sums(x, size: int, axes: tuple[int, ...], buffer, out) -> None:
    """out = sums over windows along all of `axes`, one axis after the other."""
    for i, axis in enumerate(axes):
        target = out if (len(axes) - i) % 2 else buffer
        window_sum(x, size, axis, target)
        x = target


def _negative_power(x, exponent: float, buffer, out) -> None:
    """out = x ** -exponent for positive x; by square roots for the usual 0.75, which is much faster."""
    xp = array_module(x)
    if exponent == 0.75:
        xp.sqrt(x, out=out)
        xp.sqrt(out, out=buffer)
        out *= buffer
        xp.reciprocal(out, out=out)
    else:
        xp.power(x, -exponent, out=out)
