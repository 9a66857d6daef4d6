"""cupy.cuda: devices, streams and the runtime."""

from __future__ import annotations

from types import SimpleNamespace

from fakecupy import cublas, devices, nccl
from fakecupy.counting import wait
from fakecupy.streams import Event, MemoryPool, Stream, alloc, using_allocator

__all__ = ["Device", "Event", "MemoryPool", "Stream", "alloc", "alloc_pinned_memory", "cublas", "device",
           "get_current_stream", "is_available", "memory", "nccl", "nvrtc", "runtime", "using_allocator"]


class Device:
    """A GPU, by default the one of this thread."""

    compute_capability = "90"

    def __init__(self, device=None):
        self.id = devices.current() if device is None else int(device)
        self._before = []

    def use(self):
        devices.select(self.id)

    def synchronize(self):
        wait()

    def __int__(self):
        return self.id

    def __eq__(self, other):
        return self.id == other.id

    def __enter__(self):
        self._before.append(devices.current())
        self.use()
        return self

    def __exit__(self, *error):
        devices.select(self._before.pop())


def is_available():
    return True


def get_current_stream():
    return Stream()


def alloc_pinned_memory(size):
    return memoryview(bytearray(size))


def _properties(device):
    return {"name": b"fakecupy", "totalGlobalMem": devices.TOTAL, "major": 9, "minor": 0, "multiProcessorCount": 132}


def _memory_info():
    limit = devices.limits[devices.current()]
    return limit - devices.taken[devices.current()], limit


runtime = SimpleNamespace(getDeviceCount=lambda: devices.COUNT, getDevice=devices.current, setDevice=devices.select,
                          getDeviceProperties=_properties, deviceSynchronize=wait, memGetInfo=_memory_info,
                          runtimeGetVersion=lambda: 12090, driverGetVersion=lambda: 12090)
nvrtc = SimpleNamespace(getVersion=lambda: (12, 9))
memory = SimpleNamespace(OutOfMemoryError=devices.OutOfMemoryError)
device = SimpleNamespace(get_cublas_handle=lambda: devices.current() + 1)
