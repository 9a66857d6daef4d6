"""cupy.cuda: devices, streams and the runtime."""

from __future__ import annotations

from types import SimpleNamespace

from fakecupy import cublas
from fakecupy.counting import wait
from fakecupy.graphs import MemoryPool, Stream, alloc, using_allocator

__all__ = ["Device", "MemoryPool", "Stream", "alloc", "alloc_pinned_memory", "cublas", "device", "get_current_stream",
           "is_available", "runtime", "using_allocator"]


class Device:
    """A GPU."""

    compute_capability = "90"

    def __init__(self, device=0):
        self.id = device

    def synchronize(self):
        wait()

    def use(self):
        pass

    def __enter__(self):
        return self

    def __exit__(self, *error):
        pass


def is_available():
    return True


def get_current_stream():
    return Stream()


def alloc_pinned_memory(size):
    return memoryview(bytearray(size))


def _properties(device):
    return {"name": b"fakecupy", "totalGlobalMem": 16 << 30, "major": 9, "minor": 0, "multiProcessorCount": 132}


runtime = SimpleNamespace(getDeviceCount=lambda: 1, getDeviceProperties=_properties, deviceSynchronize=wait,
                          runtimeGetVersion=lambda: 12090, driverGetVersion=lambda: 12090)
device = SimpleNamespace(get_cublas_handle=lambda: 1)
