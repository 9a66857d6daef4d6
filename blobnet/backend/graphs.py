"""CUDA graphs: the operations of a piece of work, captured once and then started all at once."""

from __future__ import annotations

import contextlib
import ctypes
import os
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from types import ModuleType
from typing import Any

from blobnet.backend.devices import cupy_module
from blobnet.backend.held import held

WORKSPACE = 4 << 20         # bytes that cuBLAS works in, as NVIDIA recommends
LARGE_WORKSPACE = 32 << 20  # from compute capability 9 on
POINTER, INT = ctypes.c_void_p, ctypes.c_int
MATRIX = POINTER, INT, ctypes.c_longlong  # its address, and the steps to the next column and to the next matrix
GEMM = POINTER, *[INT] * 5, POINTER, *MATRIX, *MATRIX, POINTER, *MATRIX, INT


class Graph:
    """What `work()` starts on the GPU, as a graph; `result` is what it returned.

    To capture computes nothing: `launch` does, and writes into the very arrays of the capture, those of `result` too.
    Whatever else it used is frozen: numbers of the host, shapes, addresses. Memory that the work asks for comes from a
    pool of its own, so nobody else gets it as long as the graph lives. Raises what the work raises, a wait for the GPU
    or a copy from the host for instance; nothing was computed then.
    """

    def __init__(self, work: Callable[[], Any]):
        cupy = cupy_module()
        self._pool = cupy.cuda.MemoryPool()
        stream = cupy.cuda.Stream(non_blocking=True)  # else work on the default stream would break the capture
        with stream, cupy.cuda.using_allocator(self._pool.malloc), _products_on(stream):
            stream.begin_capture()
            try:
                self.result = work()
            except BaseException:
                with contextlib.suppress(Exception):  # that the capture is broken
                    stream.end_capture()
                raise
            self._graph = stream.end_capture()
        cupy.get_default_memory_pool().free_all_blocks()  # that the work used until now

    def launch(self) -> None:
        """Compute it, after all that was started before."""
        self._graph.launch()


class _Products:
    """Some of the functions of cupy.cuda.cublas past CuPy, whose own refuse while a graph is captured."""

    def __init__(self, library: Any):
        self.sgemmStridedBatched = _checked(library.cublasSgemmStridedBatched, GEMM)
        self.dgemmStridedBatched = _checked(library.cublasDgemmStridedBatched, GEMM)
        self.set_stream = _checked(library.cublasSetStream_v2, (POINTER, POINTER))
        self.set_workspace = _checked(library.cublasSetWorkspace_v2, (POINTER, POINTER, ctypes.c_size_t))


_current: ContextVar[_Products | None] = ContextVar("products", default=None)


def cublas() -> Any:
    """The module cupy.cuda.cublas, or what takes its place while a graph is captured."""
    return _current.get() or cupy_module().cuda.cublas


@contextlib.contextmanager
def _products_on(stream: Any) -> Iterator[None]:
    """Let products go to `stream`, with memory that is there before; CuPy's own functions set both anew each time."""
    cupy = cupy_module()
    handle = cupy.cuda.device.get_cublas_handle()
    products = _Products(_library(cupy))
    size = LARGE_WORKSPACE if int(cupy.cuda.Device().compute_capability) >= 90 else WORKSPACE
    memory = cupy.cuda.alloc(size)
    products.set_stream(handle, stream.ptr)
    products.set_workspace(handle, memory.ptr, size)
    with held(_current, products):
        yield


def _library(cupy: ModuleType) -> ctypes.CDLL:
    """cuBLAS, which CuPy has loaded."""
    major = cupy.cuda.runtime.runtimeGetVersion() // 1000
    return ctypes.CDLL(f"cublas64_{major}.dll" if os.name == "nt" else f"libcublas.so.{major}")


def _checked(function: Any, types: tuple) -> Callable[..., None]:
    function.argtypes = types

    def call(*arguments) -> None:
        status = function(*arguments)
        if status:
            raise RuntimeError(f"{function.__name__} failed with status {status}")
    return call
