"""Convolution of two spatial axes: by im2col and matrix products, or by kernels of its own if it is depthwise."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from math import prod
from typing import Any

import numpy as np

from blobnet.backend import Array, scratch
from blobnet.ops import convolution
from blobnet.ops.cuda.im2col import add_up, lower
from blobnet.ops.cuda.launch import launch, launch_rows
from blobnet.ops.cuda.linear import gemm, scale_shift

COLUMNS_BYTES = 256 << 20  # of a piece of the batch; a single image may have more
Plain: Any = convolution.Convolution


class Convolution(Plain.body):
    """Columns, and results beside them, lie image by image, (N, rows, P * Q), as blobs do; or row by row, (groups,
    rows, N * P * Q): then one product sums the gradient to the weights over all images, or computes all groups.
    """

    def __init__(self, xp, dtype, shape, num_output, kernel, stride, pad, dilation, groups=1):
        super().__init__(xp, dtype, shape, num_output, kernel, stride, pad, dilation, groups)
        self._planes = self._forward is not None and len(self.axes) == 2
        self._depthwise = self._channels == self._outputs == 1 < groups
        self._pointwise = groups == 1 and all(a.taps == a.stride == 1 and a.pad == 0 for a in self.axes)
        self._dtype, self._rows, self._positions = dtype, self._channels * prod(kernel), prod(self.out_shape)
        image = groups * self._rows * self._positions * np.dtype(dtype).itemsize
        most = max(1, COLUMNS_BYTES // image) if image else 1
        self._pieces = [slice(a, min(a + most, shape[0])) for a in range(0, shape[0], most)]

    def forward(self, x: Array, weight: Array, bias: Array | None, out: Array) -> None:
        if not self._fits(x, weight, out):
            super().forward(x, weight, bias, out)
            return
        if self._depthwise:
            launch("depthwise", out.size, x, weight, bias, out, self.groups, *self.axes[0], *self.axes[1], out.size)
            return
        weight, flat, by_image = self._matrix(weight), self._flat(out), self.groups == 1
        for piece in self._pieces:
            with self._lowered(x[piece], by_image) as columns:
                if by_image:
                    gemm(weight, columns, flat[piece])
                    continue
                with self._by_row(len(flat[piece])) as (results, turned):
                    gemm(weight, columns, results)
                    self.xp.add(turned, 0 if bias is None else bias.reshape(-1, 1), out=flat[piece])
        if by_image and bias is not None:
            scale_shift(flat, None, bias, flat)

    def backward_weight(self, x: Array, top_diff: Array, weight_diff: Array) -> None:
        if not self._fits(x, top_diff, weight_diff):
            super().backward_weight(x, top_diff, weight_diff)
            return
        if self._depthwise:
            launch_rows("depthwise_weight", weight_diff.size, x, top_diff, weight_diff, *x.shape[:2], *self.axes[0],
                        *self.axes[1])
            return
        diff, flat = self._matrix(weight_diff), self._flat(top_diff)
        for piece in self._pieces:
            with self._lowered(x[piece], by_image=False) as columns, self._tops(flat[piece], by_image=False) as dy:
                gemm(dy, columns.swapaxes(-1, -2), diff, add=True)

    def backward_data(self, top_diff: Array, weight: Array, x_diff: Array, bias: Array | None = None) -> None:
        if not self._fits(top_diff, weight, x_diff):
            super().backward_data(top_diff, weight, x_diff, bias)
            return
        if self._depthwise:
            launch("depthwise_data", x_diff.size, top_diff, weight, bias, x_diff, self.groups, *self.axes[0],
                   *self.axes[1], x_diff.size)
            return
        weight, flat, by_image = self._matrix(weight).swapaxes(-1, -2), self._flat(top_diff), self.groups == 1
        if self._pointwise:
            x_flat = self._flat(x_diff)
            gemm(weight, flat, x_flat)
            if bias is not None:
                scale_shift(x_flat, None, bias, x_flat)
            return
        for piece in self._pieces:
            with (self._tops(flat[piece], by_image) as dy, self._columns(len(flat[piece]), by_image) as (columns,)):
                gemm(weight, dy, columns)
                add_up(columns, self.axes, x_diff[piece], bias, by_image)

    def _fits(self, *arrays: Array) -> bool:
        return self._planes and all(array.flags.c_contiguous for array in arrays)

    def _flat(self, array: Array) -> Array:
        """(N, channels, P * Q)"""
        return array.reshape(*array.shape[:2], -1)

    def _matrix(self, weight: Array) -> Array:
        """(groups, K, rows), or without groups (K, rows), which a product takes for all images."""
        return weight.reshape(*[self.groups] * (self.groups > 1), self._outputs, self._rows)

    def _columns(self, images: int, by_image: bool) -> AbstractContextManager[list[Array]]:
        """Memory for the columns of some images."""
        shape = (images, self._rows) if by_image else (self.groups, self._rows, images)
        return scratch(self.xp, ((*shape[:2], prod(shape[2:]) * self._positions), self._dtype))

    @contextmanager
    def _lowered(self, x: Array, by_image: bool) -> Iterator[Array]:
        """The columns of the images x, which are columns themselves if a kernel is a single number."""
        if self._pointwise and by_image:
            yield self._flat(x)
            return
        with self._columns(len(x), by_image) as (columns,):
            lower(x, self.axes, columns, by_image)
            yield columns

    @contextmanager
    def _by_row(self, images: int) -> Iterator[tuple[Array, Array]]:
        """Memory for the results of some images, row by row, and as a view (N, groups * K, P * Q)."""
        shape = self.groups, self._outputs, images * self._positions
        with scratch(self.xp, (shape, self._dtype)) as (results,):
            yield results, results.reshape(-1, images, self._positions).swapaxes(0, 1)

    @contextmanager
    def _tops(self, flat: Array, by_image: bool) -> Iterator[Array]:
        """The gradient (N, groups * K, P * Q) to the results, in this layout."""
        if by_image:
            yield flat
            return
        with self._by_row(len(flat)) as (dy, turned):
            turned[...] = flat
            yield dy
