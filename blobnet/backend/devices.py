"""Devices: the CPU, whose arrays are NumPy's, and the GPUs that CuPy finds."""

from __future__ import annotations

import functools
from types import ModuleType

import numpy as np

from blobnet.errors import DeviceError


@functools.cache
def cupy_module() -> ModuleType | None:
    """CuPy, if it is installed and finds a GPU; None otherwise."""
    try:
        import cupy
    except ImportError:
        return None
    return cupy if cupy.cuda.is_available() else None


def gpu_available() -> bool:
    """Whether CuPy is installed and finds at least one GPU."""
    return cupy_module() is not None


def device_module(device: str) -> ModuleType:
    """The array module of `device`: "cpu", "gpu" or "gpu:1" (which also selects that GPU); DeviceError otherwise."""
    kind, _, index = device.partition(":")
    if kind == "cpu" and not index:
        return np
    if kind != "gpu" or (index and not index.isdigit()):
        raise DeviceError(f"device {device!r}", expected="'cpu', 'gpu' or 'gpu:<number>'", got=repr(device))
    cupy = cupy_module()
    if cupy is None:
        raise DeviceError(f"device {device!r}", "no GPU can be used",
                          hint="pip install 'blobnet[gpu]' on a machine that has one, or use the CPU: "
                               "device='cpu', on the command line no --gpu")
    count = cupy.cuda.runtime.getDeviceCount()
    if int(index or 0) >= count:
        raise DeviceError(f"device {device!r}", expected=f"a GPU number below {count}", got=index)
    cupy.cuda.Device(int(index or 0)).use()
    return cupy
