"""A strict stand-in for CuPy 14, over NumPy: it refuses what CuPy refuses, and counts what a GPU would do."""

from fakecupy import arrays, cublas, kernels
from fakecupy.arrays import counts, install, reset, sites

__all__ = ["arrays", "compiler", "counts", "install", "reset", "sites"]

compiler = kernels.compiler
arrays.RawModule = kernels.RawModule
arrays.cuda.cublas = cublas
arrays.cuda.device = type("device", (), {"get_cublas_handle": staticmethod(lambda: 1)})
