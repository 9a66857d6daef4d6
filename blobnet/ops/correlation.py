"""Correlation of any number of spatial axes as matrix products: the engine below convolution and its gradients.

out[n, k, p] = sum over c, r of weight[k, c, r] * x[n, c, p * stride + r * dilation - pad], with zeros outside x.

On a CPU a correlation lowers a piece of the batch to a matrix that holds every kernel offset but those of the first
spatial axis, which one product for each output row walks along: rows (h, c, s), columns (n, q), and the R * C * S rows
from h = p * stride on are just what output row p needs. That is R times smaller than im2col (Cho and Brand, "MEC:
Memory-efficient Convolution for Deep Neural Network", ICML 2017) and stays in the cache; the products stay large.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product
from math import prod

import numpy as np

from blobnet.backend import PARTS, cut, in_turn, parallel
from blobnet.ops.im2col import Axis, copy_rows
from blobnet.ops.share import Pieces, longest, share

COLUMNS = 192  # products of this many columns run at the BLAS peak, and still well with a third of them
MIN_PLANES = 64  # lowered by one call, so that the calls cost little
SHARED_WORK = 1 << 22  # multiplications that are worth another thread
SHARED_OUTPUTS = 64  # with fewer, a product is too flat to be fast
WALK_OUTPUTS = 128  # with more, the product takes so much longer than im2col that walking saves nothing
LOWERED_BYTES = 4 << 20  # the lowered images of a piece, on a CPU
GPU_LOWERED_BYTES = 256 << 20


class Correlation:
    """A correlation of fixed shapes and its buffers: x (num, groups * channels, ...) -> (num, groups * outputs, ...).

    `channels` and `outputs` are those of one group; weights are (groups, outputs, channels, *taps).
    """

    def __init__(self, xp, dtype, num: int, groups: int, channels: int, outputs: int, axes: Sequence[Axis]):
        columns = num * prod(axis.out for axis in axes[1:])
        self.walk = bool(xp is np and axes and axes[0].taps > 1 and axes[0].dilation == 1
                         and outputs <= WALK_OUTPUTS and columns >= COLUMNS // 3)
        if not self.walk:  # a first axis of one position: plain im2col
            axes = [Axis(1, 1, 1), *axes]
        self.xp, self.dtype, self.num, self.axes = xp, dtype, num, tuple(axes)
        self.groups, self.channels, self.outputs = groups, channels, outputs
        first, rest = self.axes[0], self.axes[1:]
        self.lowered_rows = (first.out - 1) * first.stride + first.taps
        self.step = channels * prod(axis.taps for axis in rest)  # matrix rows of one lowered row
        self.positions = prod(axis.out for axis in rest)
        image = groups * self.lowered_rows * self.step * self.positions * np.dtype(dtype).itemsize
        self.pointwise = all(axis == Axis(axis.size, axis.size, 1) for axis in axes)
        if xp is np:
            wanted = -(-COLUMNS // self.positions) if self.walk or self.positions < COLUMNS // 3 else 1
            if not self.pointwise:
                wanted = max(wanted, MIN_PLANES // (groups * channels))
            self.pieces = cut(num, min(max(num / 2, 1), wanted, LOWERED_BYTES // image))
        else:
            chunk = max(1, GPU_LOWERED_BYTES // image)
            self.pieces = [(a, min(a + chunk, num)) for a in range(0, num, chunk)]
        self.chunk = longest(self.pieces)
        self._spare: list[dict] = []  # buffers for a piece; each thread borrows some

    def matrix(self, weight):
        """Weights (groups, outputs, channels, *taps) as (groups, outputs, rows), in the order of the lowered rows."""
        shape = (self.groups, self.outputs, self.channels, *(axis.taps for axis in self.axes))
        return self.xp.ascontiguousarray(weight.reshape(shape).swapaxes(2, 3)).reshape(self.groups, self.outputs, -1)

    def run(self, x, weight, out, bias=None) -> None:
        """out = correlation of x with `weight`, plus `bias` (groups * outputs) if given; `out` may be strided."""
        matrix = self.matrix(weight)[:, None]
        x, out = self._split(x, [axis.size for axis in self.axes]), self._split(out, [axis.out for axis in self.axes])
        if bias is not None:
            bias = bias.reshape(self.groups, 1, -1, 1)

        def part(run: Pieces) -> None:
            buffers = _borrow(self._spare, dict)
            for a, b in run:
                products, copied = self._products_of(out[a:b], buffers)
                self._multiply(matrix, self._windows(x[a:b], buffers), products)
                if bias is not None:
                    products += bias
                if copied:
                    copy_rows(out[a:b], self._by_image(products, b - a))
            self._spare.append(buffers)

        share(self.xp, part, self.pieces)

    def weight_gradient(self, x, top, weight_diff) -> None:
        """weight_diff += the gradient to the weights, for x and the gradient `top` to the correlation's result."""
        x, top = self._split(x, [axis.size for axis in self.axes]), self._split(top, [axis.out for axis in self.axes])
        shape = (self.groups, self.step * self.axes[0].taps, self.outputs)

        spare, found = [], []

        def part(run: Pieces):
            total, term = _borrow(spare, lambda: [self.xp.empty(shape, self.dtype) for _ in range(2)])
            target = total  # the first product needs no addition
            buffers = _borrow(self._spare, dict)
            for a, b in run:
                windows = self._windows(x[a:b], buffers)
                products, copied = self._products_of(top[a:b], buffers)
                if copied:
                    copy_rows(self._by_image(products, b - a), top[a:b])
                for p in range(self.axes[0].out):
                    self.xp.matmul(windows[:, p], products[:, p].swapaxes(1, 2), out=target)
                    if target is term:
                        total += term
                    target = term
            self._spare.append(buffers)
            return total, term

        def add(pair) -> None:
            if found:
                found[0] += pair[0]
                spare.append(pair)
            else:
                found.append(pair[0])

        if self.xp is np:
            count = len(self.pieces)
            parts = min(count, PARTS)
            in_turn(part, add, [self.pieces[count * i // parts:count * (i + 1) // parts] for i in range(parts)])
        else:
            add(part(self.pieces))
        total, = found
        taps = [axis.taps for axis in self.axes]
        total = total.reshape(self.groups, taps[0], self.channels, *taps[1:], self.outputs)
        total = self.xp.moveaxis(total, -1, 1).swapaxes(2, 3)
        weight_diff += total.reshape(weight_diff.shape)

    def _multiply(self, matrix, windows, products) -> None:
        """products = matrix @ windows; a single image, which leaves the threads idle, is shared by its outputs."""
        def part(run: Pieces) -> None:
            for first, last in run:
                self.xp.matmul(matrix[:, :, first:last], windows, out=products[:, :, first:last])

        if self.num == 1 and self.xp is np:
            least = SHARED_WORK / (products.size / self.outputs * windows.shape[2])
            parallel(part, cut(self.outputs, self.outputs, max(SHARED_OUTPUTS, least)))
        else:
            part([(0, self.outputs)])

    def _split(self, x, sizes):
        return x.reshape(x.shape[0], self.groups, -1, *sizes)

    def _windows(self, x, buffers: dict):
        """(groups, P, rows, images * positions): the lowered rows each output row p needs, as overlapping views."""
        if self.pointwise and self.chunk == 1:
            return x.reshape(self.groups, 1, self.channels, self.positions)
        lowered = self._lower(x, buffers)
        step, column, item = self.step, self.chunk * self.positions, lowered.itemsize
        shape = (self.groups, self.axes[0].out, self.axes[0].taps * step, len(x) * self.positions)
        strides = (lowered.strides[0], self.axes[0].stride * step * column * item, column * item, item)
        return self.xp.lib.stride_tricks.as_strided(lowered, shape, strides)

    def _lower(self, x, buffers: dict):
        """The lowered images: (groups, rows, channels, *taps, images, *out), without taps of the first axis.

        The zeros of the padding are written once: every piece leaves them as they are.
        """
        first, rest = self.axes[0], self.axes[1:]
        if "lowered" not in buffers:
            taps, out = (axis.taps for axis in rest), (axis.out for axis in rest)
            shape = (self.groups, self.lowered_rows, self.channels, *taps, self.chunk, *out)
            buffers["lowered"] = self.xp.zeros(shape, self.dtype)
        lowered = buffers["lowered"]
        rows, x_rows = Axis(first.size, self.lowered_rows, 1, pad=first.pad).range(0)
        num, images = len(x), x.transpose(1, 3, 2, 0, *range(4, x.ndim))
        for taps in product(*(range(axis.taps) for axis in rest)):
            ranges = [axis.range(tap) for axis, tap in zip(rest, taps)]
            target = (slice(None), rows, slice(None), *taps, slice(num), *(out for out, _ in ranges))
            source = (slice(None), x_rows, slice(None), slice(None), *(inside for _, inside in ranges))
            copy_rows(lowered[target], images[source])
        return lowered

    def _products_of(self, out, buffers: dict):
        """(groups, P, outputs, images * positions) for the images of `out`, and whether that is memory of its own."""
        if self.chunk == 1 and not self.walk and out.flags.c_contiguous:
            return out.reshape(self.groups, 1, self.outputs, self.positions), False
        if "products" not in buffers:
            shape = (self.groups, self.axes[0].out, self.outputs, self.chunk * self.positions)
            buffers["products"] = self.xp.empty(shape, self.dtype)
        return buffers["products"][..., :len(out) * self.positions], True

    def _by_image(self, products, num: int):
        """Products (groups, P, outputs, num * positions) seen as (num, groups, outputs, P, *out)."""
        shape = (*products.shape[:3], num, *(axis.out for axis in self.axes[1:]))
        products = products.reshape(shape)
        return products.transpose(3, 0, 2, 1, *range(4, products.ndim))


def _borrow(spare: list, make: Callable):
    """An item of `spare`, which nobody else has meanwhile, or a new one."""
    try:
        return spare.pop()
    except IndexError:
        return make()
