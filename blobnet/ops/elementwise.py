"""Element-wise kernels on contiguous arrays, split over the worker threads."""

from __future__ import annotations

from blobnet.backend import array_module, parallel

CHUNK = 1 << 16  # elements below which another thread costs more than it brings


def relu_forward(x, slope: float, y) -> None:
    """y = max(x, 0) + slope * min(x, 0); y may be x."""
    xp, x, y = array_module(x), x.reshape(-1), y.reshape(-1)

    def part(start: int, stop: int) -> None:
        a, b = x[start:stop], y[start:stop]
        if slope == 0:
            xp.maximum(a, 0, out=b)
        else:
            negative = xp.minimum(a, 0)
            negative *= slope
            xp.maximum(a, 0, out=b)
            b += negative

    parallel(part, x.size, CHUNK)


def relu_backward(x, dy, slope: float, dx) -> None:
    """dx = dy where x > 0, else slope * dy; dx may be dy."""
    xp, x, dy, dx = array_module(x), x.reshape(-1), dy.reshape(-1), dx.reshape(-1)

    def part(start: int, stop: int) -> None:
        factor = (x[start:stop] > 0).astype(x.dtype)
        if slope != 0:
            factor *= 1 - slope
            factor += slope
        xp.multiply(dy[start:stop], factor, out=dx[start:stop])

    parallel(part, x.size, CHUNK)
