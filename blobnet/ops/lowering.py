"""Images lowered to matrices whose products with the weights are correlations.

The matrix holds every kernel offset but those of the first spatial axis, which one product for each output row walks
along: rows (h, c, s), columns (n, q), and the R * C * S rows from h = p * stride on are just what output row p needs.
That is R times smaller than im2col (Cho and Brand, "MEC: Memory-efficient Convolution for Deep Neural Network", ICML
2017) and stays in the cache; the products stay large.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from math import prod
from types import ModuleType

import numpy as np

from blobnet.backend import Array, array_module, scratch
from blobnet.ops.axes import Axis, Index, steps
from blobnet.ops.elementwise import copy_rows


class Lowering:
    """How images (groups, channels, *spatial) are lowered along `axes`.

    rows: how many lowered rows h there are; step: matrix rows for each of them, C * S; positions: matrix columns for
    each image; image_bytes: the size of one lowered image; pointwise: whether the images are their own matrix.
    """

    def __init__(self, xp: ModuleType, dtype, groups: int, channels: int, axes: Sequence[Axis]):
        self.xp, self.dtype, self.groups, self.channels, self.axes = xp, np.dtype(dtype), groups, channels, tuple(axes)
        first, rest = self.axes[0], self.axes[1:]
        self.rows = (first.out - 1) * first.stride + first.taps
        self.step = channels * prod(axis.taps for axis in rest)
        self.positions = prod(axis.out for axis in rest)
        self.pointwise = all(axis == Axis(axis.size, axis.size, 1) for axis in self.axes)
        self._rows = Axis(first.size, self.rows, 1, pad=first.pad).range(0)  # in the lowered image, and in x
        ranges = [(self._rows[0], self.rows), *((out, axis.out) for _, outs, _ in steps(self.axes[1:])
                                                for out, axis in zip(outs, self.axes[1:]))]
        self._pads = any(inside != slice(0, size) for inside, size in ranges)
        self.image_bytes = groups * self.rows * self.step * self.positions * self.dtype.itemsize

    @cached_property
    def spans(self) -> list[tuple[slice, slice]]:
        """(output rows, rows of their windows): what lies in x; the rest is padding along the first axis, all zeros.

        If no output row sees a whole window, nothing is left out.
        """
        first = self.axes[0]
        found: list[tuple[slice, slice]] = []
        for p in range(first.out):
            start = p * first.stride - first.pad
            inside = slice(max(0, -start) * self.step, max(0, min(first.taps, first.size - start)) * self.step)
            rows = slice(found.pop()[0].start if found and found[-1][1] == inside else p, p + 1)
            found.append((rows, inside))
        whole = slice(0, first.taps * self.step)
        return found if any(inside == whole for _, inside in found) else [(slice(0, first.out), whole)]

    def blocks(self, together: bool) -> list[tuple[slice, slice]]:
        """The spans, row by row, and a whole window first; or all rows together, with their whole windows."""
        if together:
            return [(slice(0, self.axes[0].out), slice(0, self.axes[0].taps * self.step))]
        spans = sorted(self.spans, key=lambda span: span[1].start - span[1].stop)
        return [(slice(p, p + 1), inside) for rows, inside in spans for p in range(rows.start, rows.stop)]

    def shape(self, images: int) -> tuple[int, ...]:
        """Of memory for so many lowered images: (groups, rows, channels, *taps, images, *out), without the first axis.
        """
        rest = self.axes[1:]
        taps, out = (axis.taps for axis in rest), (axis.out for axis in rest)
        return self.groups, self.rows, self.channels, *taps, images, *out

    def pad(self, buffer: Array) -> None:
        """Write the zeros of the padding, if there is any, into such memory; lowering leaves them as they are."""
        if self._pads:
            buffer.fill(0)  # faster than the borders alone, which are narrow

    def windows(self, x: Array, buffer: Array) -> Array:
        """Lower the images x (N, groups, channels, *spatial) into `buffer`, which is padded and may have room for more.

        (groups, P, R * C * S, N * positions): the lowered rows that each output row needs, as views that overlap.
        """
        for target, source in self.copies(x, buffer):
            copy_rows(target, source)
        return self.matrices(buffer, len(x))

    def matrices(self, buffer: Array, images: int) -> Array:
        """The windows of the first `images` images that lie in `buffer`."""
        first = self.axes[0]
        row = buffer.strides[1] // self.step
        shape = (len(buffer), first.out, first.taps * self.step, images * self.positions)
        strides = (buffer.strides[0], first.stride * buffer.strides[1], row, buffer.itemsize)
        return _strided(buffer, 0, shape, strides)

    def copies(self, x: Array, buffer: Array) -> Iterator[tuple[Array, Array]]:
        """What is copied to lower x into `buffer`: (target, source), views of both (groups, ..., N, *positions)."""
        rows, x_rows = self._rows
        if not self._pads:  # all taps by one call
            target: Index = (..., slice(len(x)), *[slice(None)] * (x.ndim - 4))
            yield buffer[target], self._by_taps(x)
            return
        images = x.transpose(1, 3, 2, 0, *range(4, x.ndim))
        for taps, out, inside in steps(self.axes[1:]):
            target = (slice(None), rows, slice(None), *taps, slice(len(x)), *out)
            source: Index = (slice(None), x_rows, slice(None), slice(None), *inside)
            yield buffer[target], images[source]

    def _by_taps(self, x: Array) -> Array:
        """The images once for every tap, as a view like `shape` says."""
        rest, (image, group, channel, row, *along) = self.axes[1:], x.strides
        start = self._rows[1].start * row - sum(axis.pad * step for axis, step in zip(rest, along))  # pads cut
        strides = (group, row, channel, *(axis.dilation * step for axis, step in zip(rest, along)), image,
                   *(axis.stride * step for axis, step in zip(rest, along)))
        return _strided(x, start, (x.shape[1], *self.shape(len(x))[1:]), strides)


def _strided(x: Array, start: int, shape: Sequence[int], strides: Sequence[int]) -> Array:
    """A view of contiguous x that begins `start` bytes behind its first number."""
    if isinstance(x, np.ndarray):  # NumPy's as_strided takes as long as a small product
        return np.ndarray(shape, x.dtype, x, start, strides)
    return array_module(x).lib.stride_tricks.as_strided(x.reshape(-1)[start // x.itemsize:], shape, strides)


class Piece:
    """Memory of the workspace for one piece of a correlation, as a context: the lowered images, the products.

    It is enough for `images` images and their results, which are like `out` (N, groups, outputs, P, ...). Where the
    arrays themselves have the right layout, there is none.
    """

    def __init__(self, lowering: Lowering, images: int, out: Array):
        self.lowering, first = lowering, lowering.axes[0]
        direct = images == 1 and first.taps == 1 and out[:1].flags.c_contiguous
        products = lowering.groups, first.out, out.shape[2], images * lowering.positions
        self._shapes = (None if lowering.pointwise and images == 1 else lowering.shape(images),
                        None if direct else products)
        self._scratch = scratch(lowering.xp, *((shape, lowering.dtype) for shape in self._shapes if shape))

    def __enter__(self) -> Piece:
        arrays = iter(self._scratch.__enter__())
        self._lowered, self._products = (next(arrays) if shape else None for shape in self._shapes)
        if self._lowered is not None:
            self.lowering.pad(self._lowered)
        return self

    def __exit__(self, *error: object) -> None:
        self._scratch.__exit__(*error)

    def windows(self, x: Array) -> Array:
        """(groups, P, R * C * S, N * positions) for the images x, as `Lowering.windows` has it."""
        lowering = self.lowering
        if self._lowered is None:
            return x.reshape(lowering.groups, 1, lowering.channels, lowering.positions)
        return lowering.windows(x, self._lowered)

    def products(self, out: Array) -> tuple[Array, Array | None]:
        """Memory for the products that give the results `out` (N, groups, outputs, P, ...) of N images.

        (groups, P, outputs, N * positions), and the same memory in the layout of `out`, from or to which it must be
        copied; None where it is the memory of `out`.
        """
        if self._products is None:
            return out.reshape(self.lowering.groups, self.lowering.axes[0].out, out.shape[2], -1), None
        products = self._products[..., :len(out) * self.lowering.positions]
        by_image = products.reshape(*products.shape[:3], len(out), *out.shape[4:])
        return products, by_image.transpose(3, 0, 2, 1, *range(4, by_image.ndim))
