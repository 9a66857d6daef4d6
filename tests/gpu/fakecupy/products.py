"""Products: which of them are one call of cuBLAS, and what CuPy copies before."""

from __future__ import annotations

import numpy as np

from fakecupy import cublas
from fakecupy.arrays import host, method, ndarray, result, wrap
from fakecupy.counting import counts, launch, permitted
from fakecupy.cuda import device


def _blas(a: ndarray, b: ndarray, flops: int) -> None:
    """Count a product: a kernel where cuBLAS has none for the type."""
    if np.result_type(a.dtype, b.dtype).char in "fdFD":
        permitted("cuBLAS through CuPy", NotImplementedError)
        counts["gemms"] += 1
    else:
        launch()
    counts["flops"] += flops


def _operand(array: ndarray) -> np.ndarray:
    return cublas.operand(device.get_cublas_handle(), host(array)) if array.ndim else host(array)


@method
def dot(a, b, out=None):
    if not isinstance(b, ndarray):
        raise TypeError("Argument has incorrect type (expected cupy.ndarray)")
    if out is not None and (out.dtype != np.result_type(a.dtype, b.dtype) or not out.flags.c_contiguous):
        raise ValueError("Not supported dtype combination, or output array is not C-contiguous")
    with np.errstate(all="ignore"):
        found = np.dot(_operand(a), _operand(b))
    if a.ndim == b.ndim == 1:
        launch(2)
        return result(found, out)
    launch(sum(x.ndim == 2 and not (x.flags.c_contiguous or x.flags.f_contiguous) for x in (a, b)))  # are copied
    _blas(a, b, 2 * found.size * a.shape[-1])
    return result(found, out)


def matmul(a, b, out=None):
    for operand in (a, b):
        if not isinstance(operand, ndarray):
            raise TypeError(f"Unsupported type {type(operand)}")
    if not a.ndim or not b.ndim:
        raise ValueError("Scalar operands are not allowed, use '*' instead")
    if a.ndim <= 2 and b.ndim <= 2:
        if out is None or out.flags.c_contiguous and out.dtype == np.result_type(a.dtype, b.dtype):
            return dot(a, b, out)
        launch()
        return result(host(dot(a, b)), out)
    return _batched(a, b, out)


def _batched(a: ndarray, b: ndarray, out: ndarray | None) -> ndarray:
    launch(sum(not x.flags.c_contiguous for x in (a, b)))  # are made so
    with np.errstate(all="ignore"):
        found = np.matmul(_operand(a), _operand(b))
    matrix = found.shape[-1] * (found.shape[-2] if a.ndim > 1 and b.ndim > 1 else 1)
    differ = any(m != n for m, n in zip(a.shape[-3::-1], b.shape[-3::-1]))
    if differ or a.ndim != b.ndim and found.size > matrix:
        launch(3 * (max(a.ndim, b.ndim) - 2))  # tables of pointers
    _blas(a, b, 2 * found.size * a.shape[-1])
    if out is not None and not (out.flags.c_contiguous and out.dtype == found.dtype):
        launch()
        if not np.can_cast(found.dtype, out.dtype, "same_kind"):
            raise TypeError(f"Cannot cast from {found.dtype} to {out.dtype}")
    return result(found, out)


ndarray.__matmul__ = matmul
ndarray.__rmatmul__ = lambda self, other: matmul(other, self)


def outer(a, b, out=None):
    launch()
    return result(np.outer(host(a), host(b)), out)


def tensordot(a, b, axes=2):
    _blas(a, b, 0)
    return wrap(np.tensordot(host(a), host(b), axes))


def einsum(subscripts, *operands):
    launch(2)  # a product and a sum; more for long ones
    return wrap(np.einsum(subscripts, *map(host, operands)))
