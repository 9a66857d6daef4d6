"""Element-wise kernels: one launch each."""

from __future__ import annotations

from blobnet.backend import Array, array_module
from blobnet.ops.cuda.launch import launch, launch_rows


def relu_forward(x: Array, slope: float | Array, y: Array) -> None:
    launch("relu_forward", x.size, x, *_slopes(x, slope), y, x.size)


def relu_backward(x: Array, dy: Array, slope: float | Array, dx: Array) -> None:
    launch("relu_backward", x.size, x, dy, *_slopes(x, slope), dx, x.size)


def relu_slope_gradient(x: Array, dy: Array) -> Array:
    gradient = array_module(x).empty(x.shape[1], x.dtype)
    launch_rows("relu_slope_gradient", gradient.size, x, dy, gradient, *x.shape)
    return gradient


def thin(x: Array, mask: Array, factor: float, y: Array) -> None:
    launch("thin", x.size, x, mask, factor, y, x.size)


def tanh_backward(y: Array, dy: Array, dx: Array) -> None:
    launch("tanh_backward", y.size, y, dy, dx, y.size)


def _slopes(x: Array, slope: float | Array) -> tuple:
    """What a kernel is told of the slopes: the array, how many there are, for how many values each; or one number."""
    if isinstance(slope, (int, float)):
        return None, 1, 1, slope
    if x.ndim == 3 and slope.shape in ((x.shape[1], 1), (1, 1)):  # of channels, as they are
        return slope, slope.size, x.shape[2], 0
    xp = array_module(x)
    slopes = xp.ascontiguousarray(xp.broadcast_to(slope, x.shape[1:]))
    return slopes, slopes.size, 1, 0
