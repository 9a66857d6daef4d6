"""Rows of the twins in ops/cuda/pooling.py: forward, places and backward of planes of many geometries."""

import numpy as np

from blobnet.ops.axes import Axis
from blobnet.ops.tiles import are_tiles

GEOMETRIES = {  # of each axis: size, out, taps, stride, dilation, pad
    "overlapping": (Axis(7, 3, 3, 2), Axis(8, 4, 3, 2)),  # and the last column reaches over the end
    "padded": (Axis(6, 4, 3, 2, 1, 1), Axis(9, 5, 3, 2, 1, 1)),
    "unlike": (Axis(5, 6, 3, 1, 1, 2), Axis(11, 4, 4, 3, 1, 1)),
    "far padding": (Axis(6, 4, 4, 3, 1, 2), Axis(6, 4, 4, 3, 1, 2)),
    "gaps": (Axis(8, 3, 2, 3), Axis(7, 3, 1, 3)),
    "beyond": (Axis(6, 3, 2, 3), Axis(7, 3, 2, 4)),  # a window starts right at the end, another after it
    "whole": (Axis(5, 1, 5), Axis(6, 1, 6)),
    "tiles": (Axis(12, 2, 8, 8, 1, 2), Axis(21, 3, 7, 7)),
    "large": (Axis(19, 2, 17, 2), Axis(23, 3, 19, 2, 1, 2)),  # 323 positions of a window
    "one axis": (Axis(9, 5, 3, 2, 1, 1),),
    "three axes": (Axis(4, 2, 2, 2), Axis(5, 5, 3, 1, 1, 1), Axis(3, 2, 2, 1)),
}


def with_ties(rng, shape):
    return rng.integers(-3, 3, shape).astype(float)


def distinct(rng, shape):
    return rng.normal(size=shape)


def hardly_any(rng, shape):
    """NaN and -inf, and few numbers: windows without any pass no gradient."""
    x = rng.choice([np.nan, -np.inf, 1, np.inf], shape, p=[0.5, 0.4, 0.05, 0.05])
    x[0] = np.nan
    return x


def maxima(axes, make):
    def row(kernel, xp, rng, dtype):
        num, channels = 2, 3
        pool = kernel(xp, dtype, num, channels, axes)
        x = xp.asarray(make(rng, (num, channels, *(axis.size for axis in axes))).astype(dtype))
        y, places = (xp.full((num, channels, *(axis.out for axis in axes)), 7, dtype) for _ in range(2))
        dy, dx = xp.asarray(rng.normal(size=y.shape).astype(dtype)), xp.full(x.shape, 7, dtype)
        pool.forward(x, y)
        pool.places(places)
        pool.backward(dy, dx)
        return [y, places, dx]
    return row


def averages(axes):
    def row(kernel, xp, rng, dtype):
        pool = kernel(xp, dtype, axes)
        x = xp.asarray(rng.normal(size=(2, 3, *(axis.size for axis in axes))).astype(dtype))
        y = xp.full((2, 3, *(axis.out for axis in axes)), 7, dtype)
        dy, dx = xp.asarray(rng.normal(size=y.shape).astype(dtype)), xp.full(x.shape, 7, dtype)
        pool.forward(x, y)
        pool.backward(dy, dx)
        return [y, dx]
    return row


ROWS = {
    "MaxPool": [maxima(axes, make) for axes in GEOMETRIES.values() for make in (with_ties, distinct, hardly_any)],
    "TileMax": [maxima(axes, make) for axes in GEOMETRIES.values() if are_tiles(axes)
                for make in (with_ties, distinct, hardly_any)],
    "AveragePool": [averages(axes) for axes in GEOMETRIES.values()],
}
