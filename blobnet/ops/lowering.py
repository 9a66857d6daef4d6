"""Images lowered to matrices whose products with the weights are correlations.

The matrix holds every kernel offset but those of the first spatial axis, which one product for each output row walks
along: rows (h, c, s), columns (n, q), and the R * C * S rows from h = p * stride on are just what output row p needs.
That is R times smaller than im2col (Cho and Brand, "MEC: Memory-efficient Convolution for Deep Neural Network", ICML
2017) and stays in the cache; the products stay large.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from types import ModuleType

import numpy as np

from blobnet.backend import Array
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
        self.image_bytes = groups * self.rows * self.step * self.positions * self.dtype.itemsize

    def buffer(self, images: int) -> Array:
        """Memory for so many lowered images: (groups, rows, channels, *taps, images, *out), without the first axis.

        Its zeros are the padding, which is written once: every use leaves it as it is.
        """
        rest = self.axes[1:]
        taps, out = (axis.taps for axis in rest), (axis.out for axis in rest)
        return self.xp.zeros((self.groups, self.rows, self.channels, *taps, images, *out), self.dtype)

    def windows(self, x: Array, buffer: Array) -> Array:
        """Lower the images x (N, groups, channels, *spatial) into `buffer`, which may have room for more.

        (groups, P, R * C * S, N * positions): the lowered rows that each output row needs, as views that overlap.
        """
        first = self.axes[0]
        row = buffer.strides[1] // self.step
        self._lower(x, buffer)
        shape = (self.groups, first.out, first.taps * self.step, len(x) * self.positions)
        strides = (buffer.strides[0], first.stride * buffer.strides[1], row, buffer.itemsize)
        return self.xp.lib.stride_tricks.as_strided(buffer, shape, strides)

    def _lower(self, x: Array, buffer: Array) -> None:
        first, rest = self.axes[0], self.axes[1:]
        rows, x_rows = Axis(first.size, self.rows, 1, pad=first.pad).range(0)
        images = x.transpose(1, 3, 2, 0, *range(4, x.ndim))
        for taps, out, inside in steps(rest):
            target: Index = (slice(None), rows, slice(None), *taps, slice(len(x)), *out)
            source: Index = (slice(None), x_rows, slice(None), slice(None), *inside)
            copy_rows(buffer[target], images[source])


class Workspace:
    """Memory for one piece of a correlation, up to `images` images: the lowered ones and the products with weights.

    It is made when first needed, and not at all where the arrays themselves have the right layout.
    """

    def __init__(self, lowering: Lowering, outputs: int, images: int):
        self.lowering, self.images = lowering, images
        self.shape = (lowering.groups, lowering.axes[0].out, outputs, images * lowering.positions)
        self._lowered: Array | None = None
        self._products: Array | None = None

    def windows(self, x: Array) -> Array:
        """(groups, P, R * C * S, N * positions) for the images x, as `Lowering.windows` has it."""
        lowering = self.lowering
        if lowering.pointwise and self.images == 1:
            return x.reshape(lowering.groups, 1, lowering.channels, lowering.positions)
        if self._lowered is None:
            self._lowered = lowering.buffer(self.images)
        return lowering.windows(x, self._lowered)

    def products(self, out: Array) -> tuple[Array, Array | None]:
        """Memory for the products that give the results `out` (N, groups, outputs, P, ...) of N images.

        (groups, P, outputs, N * positions), and the same memory in the layout of `out`, from or to which it must be
        copied; None where it is the memory of `out`.
        """
        if self.images == 1 and self.lowering.axes[0].taps == 1 and out.flags.c_contiguous:
            return out.reshape(self.shape), None
        if self._products is None:
            self._products = self.lowering.xp.empty(self.shape, self.lowering.dtype)
        products = self._products[..., :len(out) * self.lowering.positions]
        by_image = products.reshape(*products.shape[:3], len(out), *out.shape[4:])
        return products, by_image.transpose(3, 0, 2, 1, *range(4, by_image.ndim))
