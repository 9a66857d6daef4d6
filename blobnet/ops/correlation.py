"""Correlation of any number of spatial axes as matrix products: the engine below convolution and its gradients.

out[n, k, p] = sum over c, r of weight[k, c, r] * x[n, c, p * stride + r * dilation - pad], with zeros outside x.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import cached_property
from math import prod
from types import ModuleType

import numpy as np

from blobnet.backend import PARTS, Array, cut, cut_array, longest, scratch, share, share_in_order
from blobnet.ops.axes import Axis
from blobnet.ops.elementwise import copy_rows
from blobnet.ops.lowering import Lowering, Piece

COLUMNS = 192  # products of this many columns run at the BLAS peak, and still well with a third of them
MIN_PLANES = 64  # lowered by one call, so that the calls cost little
SHARED_WORK = 1 << 22  # multiplications that are worth another thread
SHARED_OUTPUTS = 64  # with fewer, a product is too flat to be fast
WALK_OUTPUTS = 128  # with more, the product takes so much longer than im2col that walking saves nothing
ROWS_BYTES = 1 << 19  # smaller gradients to the weights are found for all output rows by one call
FEW_COLUMNS = 512  # of several images: up to so many, one product for the weights' gradient beats a sum of several
LOWERED_BYTES = 4 << 20  # the lowered images of a piece, on a CPU
GPU_LOWERED_BYTES = 256 << 20


class Correlation:
    """A correlation of fixed shapes: x (num, groups * channels, ...) -> (num, groups * outputs, ...).

    `channels` and `outputs` are those of one group; weights are (groups, outputs, channels, *taps). On a CPU it walks
    along the first spatial axis (see lowering.py) where that is faster than plain im2col.
    """

    def __init__(self, xp: ModuleType, dtype, num: int, groups: int, channels: int, outputs: int,
                 axes: Sequence[Axis]):
        columns = num * prod(axis.out for axis in axes[1:])
        self.walk = bool(xp is np and axes and axes[0].taps > 1 and axes[0].dilation == 1
                         and outputs <= WALK_OUTPUTS and columns >= COLUMNS // 3)
        if not self.walk:  # a first axis of one position: plain im2col
            axes = [Axis(1, 1, 1), *axes]
        self.xp, self.dtype, self.num, self.axes = xp, np.dtype(dtype), num, tuple(axes)
        self.groups, self.channels, self.outputs = groups, channels, outputs
        sizes, outs, taps, *_ = zip(*axes)
        self._x_shape, self._out_shape = (num, groups, channels, *sizes), (num, groups, outputs, *outs)
        self._weight_shape = (groups, outputs, channels, *taps)
        self.lowering = Lowering(xp, dtype, groups, channels, self.axes)
        self.few = bool(xp is np and not self.walk and (num == 1 or num * self.lowering.positions <= FEW_COLUMNS)
                        and num * self.lowering.image_bytes <= LOWERED_BYTES)

    @cached_property
    def pieces(self) -> list[slice]:
        """Of the batch: enough columns for fast products, and lowered images that stay in the cache.

        They are cut when it runs: a batch for which there is no memory would have more pieces than memory, too.
        """
        image, positions = self.lowering.image_bytes, self.lowering.positions
        if self.xp is not np:
            chunk = max(1, GPU_LOWERED_BYTES // image)
            return [slice(a, min(a + chunk, self.num)) for a in range(0, self.num, chunk)]
        wanted = -(-COLUMNS // positions) if self.walk or positions < COLUMNS // 3 else 1
        if not self.lowering.pointwise:
            wanted = max(wanted, MIN_PLANES // (self.groups * self.channels))
        return cut(self.num, min(max(self.num / 2, 1), wanted, LOWERED_BYTES // image))

    def run(self, x: Array, weight: Array, out: Array, bias: Array | None = None) -> None:
        """out = correlation of x with `weight`, plus `bias` (groups * outputs) if given; `out` may be strided."""
        x, out = x.reshape(self._x_shape), out.reshape(self._out_shape)
        if bias is not None:
            bias = bias.reshape(self.groups, 1, -1, 1)

        def part(piece: slice, own: Piece) -> None:
            products, results = own.products(out[piece])
            self._multiply(matrix, own.windows(x[piece]), products)
            if bias is not None:
                products += bias
            if results is not None:
                copy_rows(out[piece], results)

        with self._matrix(weight) as matrix:
            if self.xp is np:
                share(part, self.pieces, lambda n: self._memory(out))
            else:  # the pieces only bound the memory
                for piece in self.pieces:
                    with self._memory(out) as own:
                        part(piece, own)

    def weight_gradient(self, x: Array, top: Array, weight_diff: Array) -> None:
        """weight_diff += the gradient to the weights, for x and the gradient `top` to the correlation's result."""
        x, top = x.reshape(self._x_shape), top.reshape(self._out_shape)
        if self.few:
            self._add_one_product(x, top, weight_diff)
            return
        taps = [axis.taps for axis in self.axes]
        sums = [self.pieces] if self.xp is not np else [
            self.pieces[some] for some in cut(len(self.pieces), len(self.pieces) / PARTS)]
        groups, *each = self.groups, self.lowering.step * taps[0], self.outputs
        together = prod((groups, self.axes[0].out, *each)) * self.dtype.itemsize <= ROWS_BYTES
        blocks = self.lowering.blocks(together)
        one_product = len(blocks) == max(map(len, sums)) == 1  # in each sum, which then needs no second array
        wanted = ((groups, self.axes[0].out if together else 1, *each), self.dtype)
        memory: list[Piece] = []  # what no thread uses just now
        spare: list[list[Array]] = []
        found: list[Array] = []

        def part(pieces: Sequence[slice]) -> list[Array]:
            pair = _borrow(spare, lambda: stack.enter_context(scratch(self.xp, *[wanted] * (2 - one_product))))
            own = _borrow(memory, lambda: stack.enter_context(self._memory(top)))
            target = total = pair[0]  # the first product needs no addition
            for piece in pieces:
                windows, (products, results) = own.windows(x[piece]), own.products(top[piece])
                if results is not None:
                    copy_rows(results, top[piece])
                for rows, inside in blocks:
                    product = target[:, :, inside]
                    self.xp.matmul(windows[:, rows, inside], products[:, rows].swapaxes(2, 3), out=product)
                    if target is not total:
                        total[:, :, inside] += product
                    target = pair[-1]
            memory.append(own)
            return pair

        def add(pair: list[Array]) -> None:
            if found:
                found[0] += pair[0]
                spare.append(pair)
            else:
                found.append(pair[0])

        with ExitStack() as stack:
            if self.xp is np:
                share_in_order(part, add, sums)
            else:
                add(part(self.pieces))
            total = found[0] if found[0].shape[1] == 1 else found[0].sum(axis=1)
            total = total.reshape(self.groups, taps[0], self.channels, *taps[1:], self.outputs)
            total = self.xp.moveaxis(total, -1, 1).swapaxes(2, 3)
            diff = weight_diff.reshape(total.shape)

            def add_outputs(some: slice) -> None:
                diff[:, some] += total[:, some]

            share(add_outputs, cut_array(diff, 1))  # adding what lies in another order takes as long as a product

    def _add_one_product(self, x: Array, top: Array, weight_diff: Array) -> None:
        """weight_gradient of few columns: one product for all images, in the weights' order, shared by its rows."""
        diff = weight_diff.reshape(self.groups, self.outputs, -1)
        with Piece(self.lowering, self.num, top) as own, scratch(np, (diff.shape, self.dtype)) as (product,):
            windows, (products, results) = own.windows(x), own.products(top)
            if results is not None:
                copy_rows(results, top)

            def part(some: slice) -> None:
                np.matmul(products[:, 0, some], windows[:, 0].swapaxes(1, 2), out=product[:, some])
                diff[:, some] += product[:, some]

            least = SHARED_WORK / (windows[0, 0].size * self.groups)
            share(part, cut(self.outputs, self.outputs, max(SHARED_OUTPUTS, least)))

    @contextmanager
    def _matrix(self, weight: Array) -> Iterator[Array]:
        """Weights (groups, outputs, channels, *taps) as (groups, 1, outputs, rows), in the order of the lowered rows.
        """
        given = weight.reshape(self._weight_shape).swapaxes(2, 3)
        with scratch(self.xp, *[(given.shape, given.dtype)] * (not given.flags.c_contiguous)) as copies:
            for copy in copies:
                share(lambda some: self.xp.copyto(copy[:, some], given[:, some]), cut_array(copy, 1))  # noqa: B023
            yield (copies[0] if copies else given).reshape(self.groups, 1, self.outputs, -1)

    def _multiply(self, matrix: Array, windows: Array, products: Array) -> None:
        """products = matrix @ windows; of a single image, which leaves the threads idle, they share the outputs."""
        def part(some: slice) -> None:
            for rows, inside in self.lowering.spans:
                self.xp.matmul(matrix[:, :, some, inside], windows[:, rows, inside], out=products[:, rows, some])

        pieces = [slice(None)]
        if self.num == 1 and self.xp is np:
            least = SHARED_WORK / (products.size / self.outputs * windows.shape[2])
            pieces = cut(self.outputs, self.outputs, max(SHARED_OUTPUTS, least))
        share(part, pieces)

    def _memory(self, out: Array) -> Piece:
        return Piece(self.lowering, longest(self.pieces), out)


def _borrow(spare: list, make: Callable):
    """An item of `spare`, which nobody else has meanwhile, or a new one."""
    try:
        return spare.pop()
    except IndexError:
        return make()
