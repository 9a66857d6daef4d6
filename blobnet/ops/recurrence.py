"""Recurrent layers: the linear part of their steps, and the order of these, forward and backward."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

import numpy as np

from blobnet.backend import Array, array_module, cut, scratch, share
from blobnet.ops.linear import LEAST, matmul

ROWS = 32  # sequences of a piece: with fewer, a product takes hardly less time, since BLAS copies all of the weights


class Recurrence:
    """z[t] = inputs[t] + constant + weight . (cont[t] * h[t-1]),   h[t] = cell(z[t]),   T steps of N sequences.

    h is (N, H), z (N, K), cont (T, N, 1). Before forward, the layer computes `inputs` (T, N, K), of all steps by one
    product, and `constant` (N, K). No sequence needs another one, so the worker threads share them, the `pieces` of N:
    each runs all steps of its own, and never waits for another.

    For the layer's backward there are `held` (T, N, H), which is cont[t] * h[t-1], and `diffs` (T, N, K), the gradients
    to z, in the memory of `inputs`.
    """

    def __init__(self, xp: ModuleType, dtype, steps: int, num: int, size: int, rows: int):
        self.xp, self.steps = xp, steps
        self.held, self.inputs = xp.empty((steps, num, size), dtype), xp.empty((steps, num, rows), dtype)
        self.diffs, self.constant = self.inputs, xp.empty((num, rows), dtype)
        least = max(min(ROWS, num / 2), ROWS / 2, LEAST / max(1, steps * size * rows))
        self.pieces = cut(num, num, least) if xp is np else [slice(0, num)]

    def forward(self, first: Array, cont: Array, weight: Array, out: Array, cell: Callable[..., None]) -> None:
        """out (T, N, H) = h, from `first` (N, H) = h[-1] and `weight` (K, H).

        cell(t, rows, z, h) computes h (N, H) from z (N, K), which it may overwrite; N counts the `rows` alone.
        """
        uniform = self._uniform(cont)

        def run(rows: slice, buffers: list[Array]) -> None:
            h, z = first[rows], buffers[0][:rows.stop - rows.start]
            self.inputs[:, rows] += self.constant[rows]
            for t in range(self.steps):
                self._multiply(h, weight.T, uniform[t], cont[t, rows], z)
                z += self.inputs[t, rows]
                h = out[t, rows]
                cell(t, rows, z, h)
            self.held[0, rows], self.held[1:, rows] = first[rows], out[:-1, rows]
            self.held[:, rows] *= cont[:, rows]

        share(run, self.pieces, lambda n: scratch(self.xp, ((n, len(weight)), weight.dtype)))

    def backward(self, cont: Array, weight: Array, out_diff: Array, cell: Callable[..., None]) -> None:
        """diffs, from the gradient to h (T, N, H); what comes before the first step counts as constant.

        cell(t, rows, dh, dz) computes dz (N, K) from dh (N, H), likewise.
        """
        uniform = self._uniform(cont)

        def run(rows: slice, buffers: list[Array]) -> None:
            dh = buffers[0][:rows.stop - rows.start]
            dh.fill(0)
            for t in reversed(range(self.steps)):
                dh += out_diff[t, rows]
                dz = self.diffs[t, rows]
                cell(t, rows, dh, dz)
                self._multiply(dz, weight, uniform[t], cont[t, rows], dh)

        share(run, self.pieces, lambda n: scratch(self.xp, ((n, weight.shape[1]), weight.dtype)))

    def _uniform(self, cont: Array) -> list[float | None]:
        """For each step its cont if all sequences begin, 0, or all go on, 1; else None, as on a GPU, which nobody asks.
        """
        if self.xp is not np:
            return [None] * self.steps
        begin, go_on = ((cont == value).all(axis=(1, 2)).tolist() for value in (0, 1))
        return [0 if begin[t] else 1 if go_on[t] else None for t in range(self.steps)]

    def _multiply(self, a: Array, b: Array, uniform: float | None, cont: Array, out: Array) -> None:
        """out = cont * (a . b), shared by the threads where they do not share the sequences."""
        if uniform == 0:
            out.fill(0)
            return
        (matmul if len(self.pieces) == 1 else np.matmul)(a, b, out)
        if uniform is None:
            out *= cont


def tanh_slopes(y: Array, out: Array) -> None:
    """out = 1 - y^2, the derivative of tanh where it is y."""
    xp = array_module(y)
    xp.multiply(y, y, out=out)
    xp.subtract(1, out, out=out)
