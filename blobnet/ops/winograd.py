"""Correlation with small square kernels of stride 1 by Winograd's minimal filtering, with fewer multiplications.

An m x m square of results needs an n x n square d of x, n = m + r - 1, for a kernel g of r x r taps. Read as products
of polynomials, which their values at n points determine (Toom and Cook), the results are

    A' [(G g G') * (B d B')] A,   summed over the channels before A,

with A = V(m), G = V(r), B = the inverse of V(n)', where V(k) holds the values of 1, x, …, x^(k - 1) at the points and '
transposes. At each of the n^2 places, the products * of all channels, outputs and squares are one matrix product: n^2 /
m^2 multiplications for a result instead of r^2. The gradient to the weights is its transpose, G' [sum over the squares
of (A dy A') * (B d B')] G.

Lavin and Gray: Fast Algorithms for Convolutional Neural Networks, CVPR 2016.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from math import prod
from types import ModuleType

import numpy as np

from blobnet.backend import PARTS, Array, cut, scratch, share
from blobnet.ops.axes import Axis
from blobnet.ops.squares import cut_squares, join_squares

SIDE = 6  # n
PLACES = SIDE * SIDE
POINTS = (0, 0.75, -0.75, 1.5, -1.5)  # and infinity, the last coefficient; larger or closer ones lose more digits
TAPS = {3: 1.15, 5: 1.5}  # r: how many times fewer multiplications make up for products of smaller matrices
CHUNK_BYTES = 16 << 20  # transformed squares, which wait in the cache for the products
PIECE_BYTES = 1 << 20  # squares that a thread transforms by one product
TRANSFORM = 2  # how much longer a multiplication takes in the transforms than in the large products


@functools.cache
def transforms(taps: int, dtype: np.dtype) -> tuple[Array, ...]:
    """A (n^2, m^2), G (n^2, r^2) and B (n^2, n^2) for squares whose numbers stand in a row."""
    def values(count: int) -> Array:
        return np.vstack([np.vander(POINTS, count, increasing=True), np.eye(count)[-1:]])

    back, kernel, data = values(SIDE + 1 - taps), values(taps), np.linalg.inv(values(SIDE)).T
    scale = np.exp2(np.round(np.log2(abs(data).sum(axis=1) / abs(kernel).sum(axis=1)) / 2))[:, None]
    sides = back, kernel * scale, data / scale  # of one size; powers of 2 lose no digits
    return tuple(np.kron(side, side).astype(dtype) for side in sides)


class Winograd:
    """A correlation of fixed shapes, with the methods of `Correlation`, on a CPU.

    Some six times as far from the exact result as plain products: in float32 1e-6 of the results' deviation.
    """

    def __init__(self, dtype, num: int, groups: int, channels: int, outputs: int, axes: Sequence[Axis]):
        self.dtype, self.num, self.axes = np.dtype(dtype), num, tuple(axes)
        self.groups, self.channels, self.outputs = groups, channels, outputs
        self.taps = axes[0].taps
        self.step = SIDE + 1 - self.taps  # m
        self.rows, self.columns = (-(-axis.out // self.step) for axis in axes)  # of squares
        self.plain = [Axis(axis.out, axis.out, 1) for axis in axes]  # what the results are to their squares

    @functools.cached_property
    def chunks(self) -> list[tuple[slice, slice]]:
        """Images and rows of squares that are computed at a time; they are cut when it runs, as Correlation's are."""
        row = PLACES * self.columns * self.groups * (self.channels + self.outputs) * self.dtype.itemsize
        most = CHUNK_BYTES / (self.rows * row)  # images
        several = cut(self.num, most) if most > 2 else [slice(i, i + 1) for i in range(self.num)]
        return [(images, rows) for images in several for rows in cut(self.rows, CHUNK_BYTES / row, self.rows)]

    @functools.cached_property
    def most(self) -> int:
        """How many rows of squares are computed at a time."""
        return max((images.stop - images.start) * (rows.stop - rows.start) for images, rows in self.chunks)

    @staticmethod
    def fits(xp: ModuleType, axes: Sequence[Axis]) -> bool:
        """Whether it can compute a correlation along these axes."""
        return xp is np and len(axes) == 2 and axes[0].taps in TAPS and all(
            axis[2:5] == (axes[0].taps, 1, 1) for axis in axes)

    def pays(self) -> bool:
        """Whether it is faster than plain products, by their multiplications."""
        squares, kernels = self.num * self.rows * self.columns, self.channels * self.outputs
        plain = self.num * prod(axis.out for axis in self.axes) * self.taps ** 2 * kernels
        moved = squares * (PLACES * self.channels + self.step ** 2 * self.outputs) + self.taps ** 2 * kernels
        return plain > TAPS[self.taps] * PLACES * (squares * kernels + TRANSFORM * moved)

    def run(self, x: Array, weight: Array, out: Array, bias: Array | None = None) -> None:
        """out = correlation of x with `weight` (groups, outputs, channels, r, r), plus `bias` if given."""
        weight = weight.reshape(self.groups, self.outputs, self.channels, self.taps, self.taps)
        with self._memory() as (data, results, kernels):
            self._transform_kernels(weight, kernels)
            for images, rows in self.chunks:
                moved = self._transform(x[images], self.axes, rows, transforms(self.taps, self.dtype)[2], data)
                product = self._of(results, self.outputs, moved.shape[3])
                _share_places(lambda some: np.matmul(kernels[some], moved[some], out=product[some]))  # noqa: B023
                self._results(product, rows, bias, out[images])

    def weight_gradient(self, x: Array, top: Array, weight_diff: Array) -> None:
        """weight_diff += the gradient to the weights, for x and the gradient `top` to the correlation's result."""
        back, kernel, forth = transforms(self.taps, self.dtype)
        diff = weight_diff.reshape(-1, self.taps ** 2)
        with self._memory() as (data, results, total), scratch(np, (total.shape, self.dtype)) as (more,):
            for i, (images, rows) in enumerate(self.chunks):
                moved = self._transform(x[images], self.axes, rows, forth, data).swapaxes(2, 3)
                slopes = self._transform(top[images], self.plain, rows, back, results)

                def multiply(some: slice) -> None:
                    np.matmul(slopes[some], moved[some], out=(more if i else total)[some])  # noqa: B023
                    if i:  # noqa: B023
                        total[some] += more[some]

                _share_places(multiply)
            flat = total.reshape(PLACES, -1)

            def add(some: slice) -> None:
                diff[some] += np.matmul(flat[:, some].T, kernel)

            share(add, cut(len(diff), PIECE_BYTES / flat.strides[1] / PLACES))

    @contextmanager
    def _memory(self) -> Iterator[list[Array]]:
        """For the transforms of a chunk, its data (n^2, …) and its results, and of all kernels (n^2, groups, K, C)."""
        flat = PLACES * self.groups * self.most * self.columns
        kernels = PLACES, self.groups, self.outputs, self.channels
        with scratch(np, *((shape, self.dtype) for shape in (
                (flat * self.channels,), (flat * self.outputs,), kernels))) as arrays:
            yield arrays

    def _of(self, memory: Array, planes: int, squares: int) -> Array:
        shape = PLACES, self.groups, planes, squares
        return memory[:prod(shape)].reshape(shape)

    def _transform_kernels(self, weight: Array, kernels: Array) -> None:
        """kernels (n^2, groups, K, C) = G g G'."""
        matrix, shape = transforms(self.taps, self.dtype)[1], (self.channels, self.taps ** 2)
        for group in range(self.groups):
            def part(some: slice, own: list[Array]) -> None:
                given, target = weight[group, some], kernels[:, group, some]  # noqa: B023
                rows = own[0][:len(given)]
                rows.reshape(given.shape)[...] = given
                np.matmul(matrix, rows.reshape(-1, self.taps ** 2).T, out=target.reshape(PLACES, -1))

            share(part, cut(self.outputs, PIECE_BYTES / (PLACES * self.channels * self.dtype.itemsize)),
                  lambda n: scratch(np, ((n, *shape), self.dtype)))

    def _transform(self, x: Array, axes: Sequence[Axis], rows: slice, matrix: Array, memory: Array) -> Array:
        """`matrix` times the squares of x (N, groups * planes, H, W) in these rows: (n^2, groups, planes, squares)."""
        (images, planes), side, count = x.shape[:2], int(matrix.shape[1] ** 0.5), rows.stop - rows.start
        corner = rows.start * self.step - axes[0].pad, -axes[1].pad
        padded = images, count * self.step + side - self.step, self.columns * self.step + side - self.step
        squares = images, count, self.columns, side, side
        moved = self._of(memory, planes // self.groups, prod(squares[:3]))
        target = moved.reshape(PLACES, planes, -1)

        def part(some: slice, own: list[Array]) -> None:
            covered, cut_out = (array[:some.stop - some.start] for array in own)
            cut_squares(x[:, some], corner, self.step, covered, cut_out)
            np.matmul(matrix, cut_out.reshape(-1, side * side).T, out=target[:, some].reshape(PLACES, -1))

        self._share_planes(part, planes, padded, squares)
        return moved

    def _results(self, product: Array, rows: slice, bias: Array | None, out: Array) -> None:
        """out (N, groups * K, P, Q), in these rows of squares = A' product A, plus bias."""
        matrix, step = transforms(self.taps, self.dtype)[0], self.step
        images, planes, count = len(out), out.shape[1], rows.stop - rows.start
        squares = images, count, self.columns, step, step
        given, target = product.reshape(PLACES, planes, -1), out[:, :, rows.start * step:rows.stop * step]

        def part(some: slice, own: list[Array]) -> None:
            padded, found = (array[:some.stop - some.start] for array in own)
            np.matmul(given[:, some].reshape(PLACES, -1).T, matrix, out=found.reshape(-1, step * step))
            if bias is not None:
                found += bias[some].reshape(-1, *[1] * 5)
            join_squares(found, padded, target[:, some])

        self._share_planes(part, planes, (images, count * step, self.columns * step), squares)

    def _share_planes(self, body: Callable, planes: int, *shapes: tuple[int, ...]) -> None:
        most = PIECE_BYTES / (prod(shapes[-1]) * self.dtype.itemsize)
        share(body, cut(planes, most), lambda n: scratch(np, *(((n, *shape), self.dtype) for shape in shapes)))


def _share_places(body: Callable[[slice], object]) -> None:
    share(body, cut(PLACES, PLACES / PARTS))
