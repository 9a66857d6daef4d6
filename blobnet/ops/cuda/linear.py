"""Matrix products by cuBLAS: one call each, also for a batch of matrices, and also where the result is added."""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import numpy as np

from blobnet.backend import Array
from blobnet.backend.devices import cupy_module
from blobnet.backend.graphs import cublas
from blobnet.ops.linear import Product


def multiply(*products: Product) -> None:
    for product in products:
        gemm(*product)


def gemm(a: Array, b: Array, out: Array, add: bool = False) -> None:
    """out (M, N) = a (M, K) . b (K, N), or out += a . b; all may have a batch axis before, (B, M, K) for instance.

    An operand without it is the same for the whole batch. Rows or columns of the operands, and the rows of `out`, are
    contiguous, though perhaps not one right after the other.
    """
    rows, columns, inner = *out.shape[-2:], a.shape[-1]
    if not out.size:
        return
    if not inner:
        if not add:
            out.fill(0)
        return
    # cuBLAS counts by columns, and to it our arrays are transposed: out^T = b^T . a^T
    first, second, result = _operand(b), _operand(a), _operand(out)
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


def _operand(array: Array) -> _Operand:
    rows, columns = array.shape[-2:]
    *stride, along, inside = (step // array.itemsize for step in array.strides)
    batch = stride[0] if stride and array.shape[0] > 1 else 0
    if columns == 1 or inside == 1:  # rows are contiguous; of one column, each is, and may be anywhere
        return _Operand(0, along if rows > 1 else columns, batch)
    if rows == 1 or along == 1:
        return _Operand(1, inside, batch)
    raise ValueError(f"cuBLAS takes no matrix of shape {array.shape} and strides {array.strides}")


def _address(array: Any) -> int:
    return array.data.ptr


@functools.cache
def _factors(dtype: np.dtype) -> tuple[int, int]:
    """Where a 1 and a 0 lie, on the host."""
    numbers = np.array([1, 0], dtype)
    _kept.append(numbers)
    return numbers.ctypes.data, numbers.ctypes.data + numbers.itemsize


_kept: list[np.ndarray] = []
