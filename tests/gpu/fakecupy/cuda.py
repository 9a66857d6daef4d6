"""cupy.cuda: devices, streams and the runtime."""

from __future__ import annotations

from types import SimpleNamespace

from fakecupy import cublas
from fakecupy.counting import wait

__all__ = ["Device", "Stream", "alloc_pinned_memory", "cublas", "device", "get_current_stream", "is_available",
           "runtime"]


class _Ordered:
    """What work is queued on, which may be waited for, and may be the one in use for the length of a block."""

    def synchronize(self):
        wait()

    def use(self):
        pass

    def __enter__(self):
        return self

    def __exit__(self, *error):
        pass


class Device(_Ordered):
    """A GPU."""

    def __init__(self, device=0):
        self.id = device


class Stream(_Ordered):
    """A queue of work."""

    null = None

    def __init__(self, null=False, non_blocking=False):
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
