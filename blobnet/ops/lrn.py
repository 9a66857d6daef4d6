"""Local response normalisation, across the channels or within each."""

from __future__ import annotations

import numpy as np

from blobnet.backend import array_module, parallel


def negative_power(x, exponent: float, out) -> None:
    """out = x ** -exponent for positive x; by square roots where they are exact enough, which is much faster."""
    xp = array_module(x)
    if exponent == 0.75:
        xp.sqrt(x, out=out)
        xp.multiply(out, xp.sqrt(out), out=out)
        xp.reciprocal(out, out=out)
    elif exponent == 0.5:
        xp.sqrt(x, out=out)
        xp.reciprocal(out, out=out)
    else:
        xp.power(x, -exponent, out=out)


def window_sum(x, size: int, axis: int, out) -> None:
    """out = the sum of x over windows of `size` (odd) along `axis`, clipped at the ends."""
    out[...] = x
    low, high = [slice(None)] * x.ndim, [slice(None)] * x.ndim
    for distance in range(1, min(size // 2, x.shape[axis] - 1) + 1):
        low[axis], high[axis] = slice(None, -distance), slice(distance, None)
        out[tuple(high)] += x[tuple(low)]
        out[tuple(low)] += x[tuple(high)]


def lrn_forward(x, axes: tuple[int, ...], size: int, k: float, alpha: float, beta: float, scale, out) -> None:
    """scale = k + alpha * (sum of x squared over windows of `size` along `axes`); out = x * scale ** -beta."""
    xp = array_module(x)

    def part(a: int, b: int) -> None:
        squares = x[a:b] * x[a:b]
        _window_sums(squares, size, axes, scale[a:b])
        scale[a:b] *= alpha
        scale[a:b] += k
        negative_power(scale[a:b], beta, squares)
        xp.multiply(x[a:b], squares, out=out[a:b])

    _over_images(part, x)


def lrn_backward(x, out, scale, out_diff, axes: tuple[int, ...], size: int, alpha: float, beta: float, x_diff) -> None:
    """x_diff = out_diff * scale ** -beta - 2 alpha beta x * (sum of out_diff * out / scale over the same windows)."""
    xp = array_module(x)

    def part(a: int, b: int) -> None:
        ratio = out_diff[a:b] * out[a:b]
        ratio /= scale[a:b]
        sums = xp.empty_like(ratio)
        _window_sums(ratio, size, axes, sums)
        sums *= x[a:b]
        sums *= 2 * alpha * beta
        negative_power(scale[a:b], beta, ratio)
        ratio *= out_diff[a:b]
        xp.subtract(ratio, sums, out=x_diff[a:b])

    _over_images(part, x)


def _window_sums(x, size: int, axes: tuple[int, ...], out) -> None:
    """Window sums along one axis after the other; x is overwritten."""
    for i, axis in enumerate(axes):
        source, target = (x, out) if i % 2 == 0 else (out, x)
        window_sum(source, size, axis, target)
    if len(axes) % 2 == 0:
        out[...] = x


def _over_images(part, x) -> None:
    if array_module(x) is not np:
        part(0, len(x))
        return
    step = max(1, (1 << 18) // x[:1].nbytes)

    def run(start: int, stop: int) -> None:
        for a in range(start, stop, step):
            part(a, min(a + step, stop))

    parallel(run, len(x))
