"""cupy.cuda.cublas of the stand-in: the products that blobnet asks for by pointers."""

from __future__ import annotations

import ctypes

import numpy as np

from fakecupy.counting import counts, permitted

CUBLAS_OP_N, CUBLAS_OP_T = 0, 1
CUBLAS_POINTER_MODE_HOST = 0
CUBLAS_DEFAULT_MATH = 0
_TF32 = 3  # CUBLAS_TF32_TENSOR_OP_MATH, which CuPy does not name
_modes: dict[int, int] = {}  # by handle


def setMathMode(handle, mode):
    _modes[handle] = mode


def getMathMode(handle):
    return _modes.get(handle, CUBLAS_DEFAULT_MATH)


def operand(handle, array: np.ndarray) -> np.ndarray:
    """An operand of a product as cuBLAS reads it: in TF32 the mantissa of a float32 has 10 bits."""
    if array.dtype != np.float32 or getMathMode(handle) != _TF32:
        return array
    return ((np.ascontiguousarray(array).view(np.uint32) + 0x1000) & 0xFFFFE000).view(np.float32)


def _matrix(pointer: int, rows: int, columns: int, lead: int, dtype) -> np.ndarray:
    """A matrix whose columns lie one after the other, `lead` numbers apart."""
    assert lead >= max(1, rows), f"columns of {rows} numbers cannot lie {lead} apart"
    count = lead * (columns - 1) + rows if columns else 0
    kind = {np.float32: ctypes.c_float, np.float64: ctypes.c_double}[dtype]
    flat = np.ctypeslib.as_array((kind * count).from_address(pointer)) if count else np.zeros(0, dtype)
    return np.lib.stride_tricks.as_strided(flat, (rows, columns), (flat.itemsize, lead * flat.itemsize))


def _batched(dtype):
    size = np.dtype(dtype).itemsize
    kind = {np.float32: ctypes.c_float, np.float64: ctypes.c_double}[dtype]

    def gemm(handle, transa, transb, m, n, k, alpha, a, lda, stride_a, b, ldb, stride_b, beta, c, ldc, stride_c, count):
        counts["gemms"] += 1
        counts["flops"] += 2 * m * n * k * count
        alpha, beta = kind.from_address(alpha).value, kind.from_address(beta).value
        for i in range(count):
            left = _matrix(a + i * stride_a * size, *((k, m) if transa else (m, k)), lda, dtype)
            right = _matrix(b + i * stride_b * size, *((n, k) if transb else (k, n)), ldb, dtype)
            out = _matrix(c + i * stride_c * size, m, n, ldc, dtype)
            left, right = operand(handle, left.T if transa else left), operand(handle, right.T if transb else right)
            with np.errstate(all="ignore"):
                found = np.asarray(alpha, dtype) * (left @ right)
                out[...] = found + np.asarray(beta, dtype) * out if beta else found
    return gemm


def _by_cupy(gemm):
    def call(*arguments):
        permitted("cuBLAS through CuPy", NotImplementedError)
        gemm(*arguments)
    return call


cublasSgemmStridedBatched, cublasDgemmStridedBatched = _batched(np.float32), _batched(np.float64)
sgemmStridedBatched, dgemmStridedBatched = _by_cupy(cublasSgemmStridedBatched), _by_cupy(cublasDgemmStridedBatched)
