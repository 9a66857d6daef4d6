"""Maxima over windows that lie side by side; made for large windows, as in global pooling and pyramids."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from types import ModuleType

import numpy as np

from blobnet.backend import Array, cut_array, scratch, share, twin
from blobnet.ops.axes import Axis


def are_tiles(axes: Sequence[Axis]) -> bool:
    """Whether windows along `axes` lie side by side, without overlap or gap."""
    return all(axis.stride == axis.taps or axis.out == 1 for axis in axes)


@twin("blobnet.ops.cuda.pooling")
class TileMax:
    """Maxima, as those of MaxPool, over windows that lie side by side: each window is copied into a row of its own.

    So there is one pass over x, however large the windows are. `won` keeps for each window where in its plane the
    maximum lies, -1 if it has none.
    """

    def __init__(self, xp: ModuleType, dtype, num: int, channels: int, axes: Sequence[Axis]):
        self.xp, self.dtype, self.planes = xp, np.dtype(dtype), num * channels
        self.size, self.out = tuple(axis.size for axis in axes), tuple(axis.out for axis in axes)
        self.taps = tuple(axis.taps for axis in axes)
        spans = [min(axis.size, axis.out * axis.taps - axis.pad) for axis in axes]  # positions of x under a window
        self._inside = (slice(None), *map(slice, spans))
        self._target = (slice(None), *(slice(axis.pad, axis.pad + span) for axis, span in zip(axes, spans)))
        corners = [xp.arange(axis.out) * axis.taps - axis.pad for axis in axes]
        self._corner = sum(corner.reshape(-1, *[1] * (len(axes) - 1 - i)) * prod(self.size[i + 1:])
                           for i, corner in enumerate(corners))
        offsets = xp.arange(prod(self.taps)).reshape(self.taps)
        places = xp.unravel_index(offsets.reshape(-1), self.taps)
        self._offset = sum(place * prod(self.size[i + 1:]) for i, place in enumerate(places))
        self.won = xp.zeros((self.planes, *self.out), xp.int64)

    def forward(self, x: Array, out: Array) -> None:
        """out = the largest value of each window, with the rules of `MaxPool.forward`."""
        xp, lowest, axes = self.xp, np.finfo(self.dtype).min, len(self.size)
        x, out = x.reshape(self.planes, *self.size), out.reshape(self.planes, *self.out)
        order = (0, *range(1, 2 * axes, 2), *range(2, 2 * axes + 1, 2))

        def part(piece: slice, buffers: list[Array]) -> None:
            planes = x[piece]
            num, padded = len(planes), buffers[0][:len(planes)]
            padded.fill(lowest)
            xp.fmax(planes[self._inside], lowest, out=padded[self._target])
            split = padded.reshape(num, *(n for pair in zip(self.out, self.taps) for n in pair)).transpose(order)
            rows = split.reshape(num, *self.out, -1)
            best = rows.argmax(axis=-1)
            out[piece] = xp.take_along_axis(rows, best[..., None], axis=-1)[..., 0]
            self.won[piece] = xp.where(out[piece] > lowest, self._corner + self._offset[best], -1)

        room = [n * taps for n, taps in zip(self.out, self.taps)]
        share(part, cut_array(x), lambda n: scratch(xp, ((n, *room), self.dtype)))

    def places(self, out: Array) -> None:
        """out = where in its plane each maximum of the last forward lies, h * W + w; -1 if a window had none."""
        out[...] = self.won.reshape(out.shape)

    def backward(self, top_diff: Array, x_diff: Array) -> None:
        """x_diff = the gradients of the windows, each where the last forward found the maximum."""
        x_diff.fill(0)
        flat, won = x_diff.reshape(-1), self.won.reshape(self.planes, prod(self.out))
        index = won + self.xp.arange(self.planes)[:, None] * prod(self.size)
        found = won >= 0
        flat[index[found]] = top_diff.reshape(won.shape)[found]
