"""The library of cuBLAS, as ctypes finds it: products that may be captured, which CuPy's own may not."""

from __future__ import annotations

import ctypes
import sys
from types import SimpleNamespace

import numpy as np

from fakecupy import cublas
from fakecupy.arrays import wrap
from fakecupy.counting import Refused
from fakecupy.graphs import recorded


class _Symbol:
    """A function of the library, which knows nothing of arrays: what it reads and writes is kept by its addresses."""

    def __init__(self, function):
        self.__name__, self._function, self.argtypes = function.__name__, function, None

    def __call__(self, *arguments):
        if len(self.argtypes) != len(arguments):
            raise Refused(f"{self.__name__} takes {len(self.argtypes)} arguments")
        self._function(*arguments)
        return 0


def _product(function, dtype):
    """A product, recorded with the memory it writes."""
    size = np.dtype(dtype).itemsize

    def by_address(out, *arguments):
        function(*arguments)

    def call(*arguments):
        *_, m, n, k, alpha, a, lda, stride_a, b, ldb, stride_b, beta, c, ldc, stride_c, count = arguments
        length = (count - 1) * stride_c + (n - 1) * ldc + m
        kind = ctypes.c_float if size == 4 else ctypes.c_double
        recorded(by_address)(wrap(np.ctypeslib.as_array((kind * length).from_address(c))), *arguments)
    call.__name__ = function.__name__
    return call


def _nothing(*_):
    pass


library = SimpleNamespace(
    cublasSgemmStridedBatched=_Symbol(_product(cublas.cublasSgemmStridedBatched, np.float32)),
    cublasDgemmStridedBatched=_Symbol(_product(cublas.cublasDgemmStridedBatched, np.float64)),
    cublasSetStream_v2=_Symbol(_nothing), cublasSetWorkspace_v2=_Symbol(_nothing))
_load = ctypes.CDLL


def load(name, *args, **kwargs):
    """ctypes.CDLL once the stand-in was installed."""
    ours = "libcublas" in str(name) and sys.modules.get("cupy") is sys.modules["fakecupy"]
    return library if ours else _load(name, *args, **kwargs)
