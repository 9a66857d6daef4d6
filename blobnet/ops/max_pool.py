"""Maxima over windows of any number of spatial axes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import product
from math import prod
from types import ModuleType

import numpy as np

from blobnet.backend import Array, Pieces, cut_array, scratch, share, twin
from blobnet.ops.axes import Axis, Index
from blobnet.ops.elementwise import copy_rows
from blobnet.ops.indices import scatter_add

PIECE_BYTES = 2 << 20  # of x: there are many calls, and threads wait for each other between them if these are short


@twin("blobnet.ops.cuda.pooling")
class MaxPool:
    """Maxima over windows of fixed shapes: x (N, C, *spatial) -> (N, C, *pooled), one `Axis` for each spatial axis.

    The planes of a piece are first copied into phases: one array for the positions that agree modulo the stride,
    padded with the lowest number. There the values that all windows have at one kernel tap lie side by side, so a
    running maximum over the taps takes a few passes at full speed. `taps` keeps for each window the tap that won: 1 +
    its offset in the plane from the window's corner, 0 if none did. Offsets grow in scan order, so the running maximum
    of those that were larger than all before is the offset of the winner.
    """

    def __init__(self, xp: ModuleType, dtype, num: int, channels: int, axes: Sequence[Axis]):
        self.xp, self.dtype, self.axes = xp, np.dtype(dtype), tuple(axes)
        self.planes = num * channels
        self.size, self.out = tuple(axis.size for axis in axes), tuple(axis.out for axis in axes)
        strides = [axis.stride if axis.out > 1 else max(axis.stride, axis.taps) for axis in axes]
        self._phase_size = tuple(axis.out + (axis.taps - 1) // stride for axis, stride in zip(axes, strides))
        self._phases: dict[tuple[int, ...], tuple[Index, Index]] = {}  # by residues: positions in the phase, and in x
        self._steps = []  # each tap in scan order: its phase, its shift in the flat phase, 1 + its offset in the plane
        for taps in product(*(range(axis.taps) for axis in axes)):
            residues = tuple(tap % stride for tap, stride in zip(taps, strides))
            if residues not in self._phases:
                ranges = [Axis(axis.size, length, stride, stride, 1, axis.pad).range(residue)
                          for axis, length, stride, residue in zip(axes, self._phase_size, strides, residues)]
                self._phases[residues] = (..., *(out for out, _ in ranges)), (..., *(inside for _, inside in ranges))
            shift = _flat([tap // stride for tap, stride in zip(taps, strides)], self._phase_size)
            self._steps.append((residues, shift, 1 + _flat(taps, self.size)))
        corners = [np.arange(axis.out) * axis.stride - axis.pad for axis in axes]
        corner = np.zeros(self.out, np.intp) - 1
        for positions, step in zip(np.ix_(*corners), [prod(self.size[i + 1:]) for i in range(len(axes))]):
            corner += positions * step
        self._corner = xp.asarray(corner)
        self.taps = xp.zeros((self.planes, *self.out), np.min_scalar_type(self._steps[-1][2]))

    def forward(self, x: Array, out: Array) -> None:
        """out = the largest value of each window; of equal ones, the first in scan order will get the gradient.

        NaN is never the largest. A window that has no number above the lowest finite one gives that number, and passes
        no gradient back.
        """
        xp, lowest = self.xp, np.finfo(self.dtype).min
        x, out = x.reshape(self.planes, *self.size), out.reshape(self.planes, *self.out)
        area, inside = prod(self._phase_size), (slice(None), *map(slice, self.out))

        @contextmanager
        def buffers(chunk: int) -> Iterator[tuple]:
            room, kinds = chunk * area + self._steps[-1][1], (self.dtype, np.uint8, self.taps.dtype, self.taps.dtype)
            wanted = [((room,), self.dtype)] * len(self._phases) + [((chunk * area,), kind) for kind in kinds]
            with scratch(xp, *wanted) as arrays:
                phases = dict(zip(self._phases, arrays))
                for phase in phases.values():
                    phase.fill(lowest)
                yield phases, *arrays[len(phases):]

        def part(piece: slice, buffers: tuple) -> None:
            phases, best, larger, won, tap = buffers
            num, planes = piece.stop - piece.start, (-1, *self._phase_size)
            for residues, (target, source) in self._phases.items():
                phases[residues][:len(best)].reshape(planes)[:num][target] = x[piece][source]
            best[...], won[...] = lowest, 0
            for residues, shift, offset in self._steps:
                values = phases[residues][shift:shift + len(best)]
                xp.greater(values, best, out=larger.view(bool))
                xp.fmax(values, best, out=best)
                xp.multiply(larger, self.taps.dtype.type(offset), out=tap)
                xp.maximum(won, tap, out=won)
            copy_rows(out[piece], best.reshape(planes)[inside][:num])
            copy_rows(self.taps[piece], won.reshape(planes)[inside][:num])

        share(part, _pieces(x), buffers)

    def places(self, out: Array) -> None:
        """out = where in its plane each maximum of the last forward lies, h * W + w; -1 if a window had none."""
        out = out.reshape(self.taps.shape)
        out[...] = self.xp.where(self.taps > 0, self._corner + self.taps, -1)

    def backward(self, top_diff: Array, x_diff: Array) -> None:
        """x_diff = the sum of the gradients of the windows, each added where the last forward found the maximum."""
        xp, top_diff, x_diff = self.xp, top_diff.reshape(self.taps.shape), x_diff.reshape(self.planes, *self.size)

        @contextmanager
        def buffers(chunk: int) -> Iterator[list[Array]]:
            planes = xp.arange(chunk).reshape(chunk, *[1] * len(self.axes)) * prod(self.size)
            with scratch(xp, *[((chunk, *self.out), self._corner.dtype)] * 2) as (corners, index):
                xp.add(planes, self._corner, out=corners)
                yield [corners, index]

        def part(piece: slice, buffers: list[Array]) -> None:
            taps, target = self.taps[piece], x_diff[piece].reshape(-1)
            corners, index = (buffer[:len(taps)] for buffer in buffers)
            where, values = xp.add(taps, corners, out=index).reshape(-1), top_diff[piece].reshape(-1)
            if xp is not np:  # which need not be asked whether all won, and wait
                won = taps.reshape(-1) > 0
                where, values = xp.where(won, where, 0), xp.where(won, values, 0)
            elif not taps.all():
                won = taps.reshape(-1) > 0
                where, values = where[won], values[won]
            target[...] = 0
            scatter_add(target, where, values)

        share(part, _pieces(x_diff), buffers)


def _pieces(x: Array) -> Pieces:
    return cut_array(x, most=PIECE_BYTES, least=PIECE_BYTES / 2)


def _flat(position: Sequence[int], shape: Sequence[int]) -> int:
    """The index of `position` in a flattened array of `shape`."""
    flat = 0
    for index, size in zip(position, shape):
        flat = flat * size + index
    return flat
