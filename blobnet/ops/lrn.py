"""Local response normalisation, across the channels or within each."""

from __future__ import annotations

from typing import NamedTuple

from blobnet.backend import Array, array_module, cut_array, folded, scratch, share, twin


class LocalNorm(NamedTuple):
    """What to divide by: (k + alpha * sum of x squared over windows of `size`, odd, along each of `axes`) ** beta."""

    axes: tuple[int, ...]
    size: int
    k: float
    alpha: float
    beta: float


@twin("blobnet.ops.cuda.lrn")
def lrn_forward(x: Array, norm: LocalNorm, scale: Array, factor: Array, out: Array) -> None:
    """scale = k + alpha * (sum of x squared over the window), factor = scale ** -beta, out = x * factor."""
    xp = array_module(x)

    def part(piece: slice, buffers: list[Array]) -> None:
        images, sums, powers = x[piece], scale[piece], factor[piece]
        buffer = buffers[0][:len(images)]
        xp.multiply(images, images, out=powers)
        _window_sums(powers, norm.size, norm.axes, buffer, sums)
        sums *= norm.alpha
        sums += norm.k
        _negative_power(sums, norm.beta, buffer, powers)
        xp.multiply(images, powers, out=out[piece])

    share(part, cut_array(x), lambda n: scratch(xp, (x[:n].shape, x.dtype)))


@twin("blobnet.ops.cuda.lrn")
def lrn_backward(x: Array, out: Array, scale: Array, factor: Array, out_diff: Array, norm: LocalNorm,
                 x_diff: Array) -> None:
    """x_diff = out_diff * factor - 2 alpha beta x * (sum of out_diff * out / scale over the window)."""
    xp = array_module(x)

    def part(piece: slice, buffers: list[Array]) -> None:
        dy = out_diff[piece]
        ratio, buffer, sums = (array[:len(dy)] for array in buffers)
        xp.multiply(dy, out[piece], out=ratio)
        ratio /= scale[piece]
        _window_sums(ratio, norm.size, norm.axes, buffer, sums)
        sums *= x[piece]
        sums *= 2 * norm.alpha * norm.beta
        xp.multiply(dy, factor[piece], out=ratio)
        xp.subtract(ratio, sums, out=x_diff[piece])

    share(part, cut_array(x), lambda n: scratch(xp, *[(x[:n].shape, x.dtype)] * 3))


def window_sum(x: Array, size: int, axis: int, out: Array) -> None:
    """out = the sum of x over windows of `size` (odd) along `axis`, clipped at the ends; both arrays are contiguous.

    The array, flat, is added to itself shifted, which is far faster than adding slices along a short axis. Near the
    ends of the axis that gives wrong sums, and they are computed again.
    """
    shape, half = folded(x.shape, axis, axis + 1), size // 2
    _, length, inner = shape
    source: Array = x.reshape(-1)
    target: Array = out.reshape(-1)
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
    source, target = source.reshape(shape), target.reshape(shape)
    for position in {*range(min(half, length)), *range(max(length - half, 0), length)}:
        first, last = max(position - half, 0), min(position + half, length - 1)
        target[:, position] = source[:, first]
        for other in range(first + 1, last + 1):
            target[:, position] += source[:, other]


def _window_sums(x: Array, size: int, axes: tuple[int, ...], buffer: Array, out: Array) -> None:
    """out = sums over windows along all of `axes`, one axis after the other."""
    for i, axis in enumerate(axes):
        target = out if (len(axes) - i) % 2 else buffer
        window_sum(x, size, axis, target)
        x = target


def _negative_power(x: Array, exponent: float, buffer: Array, out: Array) -> None:
    """out = x ** -exponent for positive x; by square roots for the usual 0.75, which is much faster."""
    xp = array_module(x)
    if exponent == 0.75:
        xp.sqrt(x, out=out)
        xp.sqrt(out, out=buffer)
        out *= buffer
        xp.reciprocal(out, out=out)
    else:
        xp.power(x, -exponent, out=out)
