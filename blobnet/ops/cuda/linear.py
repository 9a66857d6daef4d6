"""Matrix products by cuBLAS, one call each, also for a batch of matrices and where the result is added; and sums."""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import numpy as np

from blobnet.backend import Array
from blobnet.backend.devices import cupy_module
from blobnet.backend.graphs import cublas
from blobnet.ops.cuda.launch import launch, launch_rows
from blobnet.ops.linear import Product


def multiply(*products: Product) -> None:
    for product in products:
        gemm(*product)


def matrix_product(a: Array, b: Array) -> Array:
    kind = np.result_type(a.dtype, b.dtype)
    if kind not in (np.float32, np.float64):
        return a @ b
    columns = b[:, None] if b.ndim == 1 else b
    out = cupy_module().empty((len(a), columns.shape[1]), kind)
    gemm(a.astype(kind, copy=False), columns.astype(kind, copy=False), out)
    return out[:, 0] if b.ndim == 1 else out


def gemm(a: Array, b: Array, out: Array, add: bool = False) -> None:
    """out (M, N) = a (M, K) . b (K, N), or out += a . b; all may have a batch axis before, (B, M, K) for instance.

    An operand without it is the same for the whole batch. Rows or columns of every array are contiguous, though perhaps
    not one right after the other; operands of which that is not true are copied.
    """
    rows, columns, inner = *out.shape[-2:], a.shape[-1]
    if not out.size:
        return
    if not inner:
        if not add:
            out.fill(0)
        return
    result = _operand(out)
    if result is None:
        raise ValueError(f"cuBLAS writes no matrix of shape {out.shape} and strides {out.strides}")
    if result.transposed:
        gemm(b.swapaxes(-1, -2), a.swapaxes(-1, -2), out.swapaxes(-1, -2), add)
        return
    # cuBLAS counts by columns, and to it our arrays are transposed: out^T = b^T . a^T
    (b, first), (a, second) = _readable(b), _readable(a)
    products, handle = cublas(), cupy_module().cuda.device.get_cublas_handle()
    call = products.sgemmStridedBatched if out.dtype == np.float32 else products.dgemmStridedBatched
    one, other = _factors(out.dtype)
    call(handle, first.transposed, second.transposed, columns, rows, inner, one, _address(b), first.lead, first.stride,
         _address(a), second.lead, second.stride, one if add else other, _address(out), result.lead, result.stride,
         out.shape[0] if out.ndim == 3 else 1)


class _Operand(NamedTuple):
    """How cuBLAS finds a matrix: whether it is to transpose it, the step to the next row or column, and batch."""

    transposed: int
    lead: int
    stride: int


def _operand(array: Array) -> _Operand | None:
    rows, columns = array.shape[-2:]
    *stride, along, inside = (step // array.itemsize for step in array.strides)
    batch = stride[0] if stride and array.shape[0] > 1 else 0
    if (columns == 1 or inside == 1) and (rows == 1 or along >= columns):  # of one column, each row is contiguous
        return _Operand(0, along if rows > 1 else columns, batch)
    if (rows == 1 or along == 1) and (columns == 1 or inside >= rows):
        return _Operand(1, inside if columns > 1 else rows, batch)
    return None


def _readable(array: Array) -> tuple[Array, _Operand]:
    operand = _operand(array)
    if operand is None:
        array = array.copy()
        return array, _operand(array)
    return array, operand


def _address(array: Any) -> int:
    return array.data.ptr


@functools.cache
def _factors(dtype: np.dtype) -> tuple[int, int]:
    """Where a 1 and a 0 lie, on the host."""
    numbers = np.array([1, 0], dtype)
    _kept.append(numbers)
    return numbers.ctypes.data, numbers.ctypes.data + numbers.itemsize


_kept: list[np.ndarray] = []


def scale_shift(x: Array, factor: Array | None, bias: Array | None, out: Array) -> None:
    launch("scale_shift", x.size, x, factor, bias, out, *x.shape[1:], x.size)


def channel_sums(x: Array, times: Array | None = None) -> Array:
    found = cupy_module().empty(x.shape[1], x.dtype)
    _channel_sums(x, times, found)
    return found


def sums(dy: Array, x: Array | None = None) -> Array:
    return channel_sums(dy, x)


def add_sums(dy: Array, x: Array | None, diff: Array) -> None:
    _channel_sums(dy, x, diff, add=True)


def add_rows(x: Array, out: Array) -> None:
    _channel_sums(x[..., None], None, out, add=True)


def _channel_sums(x: Array, times: Array | None, out: Array, add: bool = False) -> None:
    launch_rows("channel_sums", x.shape[1], x, times, out, *x.shape, add)
