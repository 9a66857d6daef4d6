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
        self._along = [number for axis in self.axes for number in axis]
        image = groups * self._rows * self._positions * np.dtype(dtype).itemsize
        most = max(1, COLUMNS_BYTES // image) if image else 1
        self._pieces = [slice(a, min(a + most, shape[0])) for a in range(0, shape[0], most)]

    def forward(self, x: Array, weight: Array, bias: Array | None, out: Array) -> None:
        if not self._fits(x, weight, out):
            super().forward(x, weight, bias, out)
            return
        flat = self._flat(out)
        if self._depthwise:
            launch("depthwise", out.size, x, weight, bias, out, self.groups, *self._along, out.size)
            return
        if self._pointwise:
            gemm(self._matrix(weight), self._flat(x), flat)
        else:
            for piece in self._pieces:
                self._forward_piece(x[piece], self._matrix(weight), bias, flat[piece])
        if bias is not None and self.groups == 1:
            scale_shift(flat, None, bias, flat)

    def _forward_piece(self, x: Array, weight: Array, bias: Array | None, flat: Array) -> None:
        """flat = the images x convolved with weight; with several groups, of which each result is moved, plus bias."""
        by_image = self.groups == 1
        with self._columns(len(x), by_image) as (columns,):
            lower(x, self.axes, columns, by_image)
            if by_image:
                gemm(weight, columns, flat)
                return
            with self._by_row(len(x)) as (results, turned):
                gemm(weight, columns, results)
                self.xp.add(turned, 0 if bias is None else bias.reshape(-1, 1), out=flat)

    def backward(self, x: Array, top_diff: Array, weight: Array, weight_diff: Array | None,
                 x_diff: Array | None) -> None:
        if self._fits(x, top_diff, weight, weight_diff, x_diff):
            self._backward(x, top_diff, weight, weight_diff, x_diff)
        else:
            super().backward(x, top_diff, weight, weight_diff, x_diff)

    def backward_weight(self, x: Array, top_diff: Array, weight_diff: Array) -> None:
        if self._fits(x, top_diff, weight_diff):
            self._backward(x, top_diff, None, weight_diff, None)
        else:
            super().backward_weight(x, top_diff, weight_diff)

    def backward_data(self, top_diff: Array, weight: Array, x_diff: Array, bias: Array | None = None) -> None:
        if self._fits(top_diff, weight, x_diff):
            self._backward(None, top_diff, weight, None, x_diff, bias)
        else:
            super().backward_data(top_diff, weight, x_diff, bias)

    def _backward(self, x: Array | None, top_diff: Array, weight: Array | None, weight_diff: Array | None,
                  x_diff: Array | None, bias: Array | None = None) -> None:
        """weight_diff += the gradient to the weights, x_diff = the gradient to x, plus bias; each unless it is None."""
        if self._depthwise:
            if weight_diff is not None:
                launch_rows("depthwise_weight", weight_diff.size, x, top_diff, weight_diff, *x.shape[:2], *self._along)
            if x_diff is not None:
                launch("depthwise_data", x_diff.size, top_diff, weight, bias, x_diff, self.groups, *self._along,
                       x_diff.size)
            return
        flat = self._flat(top_diff)
        if self._pointwise and x_diff is not None:
            x_flat, x_diff = self._flat(x_diff), None
            gemm(self._matrix(weight).T, flat, x_flat)
            if bias is not None:
                scale_shift(x_flat, None, bias, x_flat)
        by_image = self.groups == 1 and weight_diff is None
        for piece in [] if weight_diff is x_diff is None else self._pieces:
            with self._tops(flat[piece], by_image) as dy, self._columns(len(flat[piece]), by_image) as (columns,):
                if weight_diff is not None:
                    lower(x[piece], self.axes, columns, by_image)
                    gemm(dy, columns.swapaxes(-1, -2), self._matrix(weight_diff), add=True)
                if x_diff is not None:
                    gemm(self._matrix(weight).swapaxes(-1, -2), dy, columns)
                    add_up(columns, self.axes, x_diff[piece], bias, by_image)

    def _fits(self, *arrays: Array | None) -> bool:
        return self._planes and all(array is None or array.flags.c_contiguous for array in arrays)

    def _flat(self, array: Array) -> Array:
        """(N, channels, P, Q) as (N, channels, P * Q)."""
        return array.reshape(*array.shape[:2], -1)

    def _matrix(self, weight: Array) -> Array:
        """(groups, K, rows), or without groups (K, rows), which a product takes for all images."""
        return weight.reshape(*[self.groups] * (self.groups > 1), self._outputs, self._rows)

    def _columns(self, images: int, by_image: bool) -> AbstractContextManager[list[Array]]:
        """Memory for the columns of some images."""
        shape = (images, self._rows) if by_image else (self.groups, self._rows, images)
        return scratch(self.xp, ((*shape[:2], prod(shape[2:]) * self._positions), self._dtype))

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
