"""Devices: the CPU, whose arrays are NumPy's, and the GPUs that CuPy finds; and what arrays of both have in common."""

from __future__ import annotations

import functools
import math
import sys
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from types import ModuleType
from typing import Any, TypeAlias

import numpy as np

from blobnet.errors import DeviceError

TF32_MATH = 3  # CUBLAS_TF32_TENSOR_OP_MATH of cublas_api.h, for which CuPy has no name

# An array of a device, numpy.ndarray or cupy.ndarray. A type checker takes both for NumPy's, whose methods CuPy's have.
Array: TypeAlias = np.ndarray


@functools.cache
def cupy_module() -> ModuleType | None:
    """CuPy, if it is installed and finds a GPU and its libraries; None otherwise."""
    try:
        import cupy
    except ImportError:
        return None
    return None if _missing(cupy) else cupy


def _missing(cupy: ModuleType) -> str:
    """What CuPy lacks for a GPU to be used, with its own words; "" for nothing."""
    try:
        if not cupy.cuda.runtime.getDeviceCount():
            return "CuPy finds no GPU"
    except Exception as error:
        return f"CuPy finds no driver of a GPU ({_line(error)})"
    for library, call in (("cuBLAS", lambda: cupy.cuda.cublas), ("NVRTC", lambda: cupy.cuda.nvrtc.getVersion())):
        try:
            call()
        except Exception as error:  # ImportError or RuntimeError, as versions of CuPy have it
            return f"CuPy finds no {library} ({_line(error)})"
    return ""


def _line(error: Exception) -> str:
    return " ".join(str(error).split())


def _no_gpu(device: str) -> DeviceError:
    """The error that no GPU can be used, and why."""
    hint = "pip install 'blobnet[gpu]' on a machine that has one"
    try:
        import cupy
    except ImportError as error:
        missing = "CuPy is not installed" if error.name == "cupy" else f"CuPy cannot be imported ({_line(error)})"
    else:
        missing = _missing(cupy)
        if "finds no GPU" not in missing:
            hint = "it needs a driver from NVIDIA, and libraries that pip install 'blobnet[gpu]' brings, as [ctk] of " \
                   "another CuPy does"
    return DeviceError(f"device {device!r}", "no GPU can be used" + f": {missing}" * bool(missing),
                       hint=f"{hint}, or use the CPU: device='cpu', on the command line no --gpu")


def gpu_available() -> bool:
    """Whether CuPy is installed and finds at least one GPU, and its libraries."""
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
        raise _no_gpu(device)
    count = cupy.cuda.runtime.getDeviceCount()
    if int(index or 0) >= count:
        raise DeviceError(f"device {device!r}", expected=f"a GPU number below {count}", got=index)
    cupy.cuda.Device(int(index or 0)).use()
    return cupy


def current_device(xp: ModuleType) -> str:
    """The device on which arrays of `xp` lie that this thread makes: "cpu", or "gpu:0" for instance."""
    return "cpu" if xp is np else f"gpu:{xp.cuda.runtime.getDevice()}"


def on_device(device: str) -> AbstractContextManager[Any]:
    """Let this thread make arrays and compute on `device` in a with block, and where it did before after that.

    Every thread begins on the first GPU. Arrays of another GPU than that of the thread can only be copied to the host.
    """
    kind, _, index = device.partition(":")
    return nullcontext() if kind == "cpu" else cupy_module().cuda.Device(int(index or 0))


@contextmanager
def products_in(device: str, tf32: bool) -> Iterator[None]:
    """Let products of float32 on `device`, which this thread computes on, be exact, or TF32 with 10 bits a factor.

    That goes for ours and for CuPy's, which ask cuBLAS for float32; with CUPY_TF32=1 CuPy's are TF32 always.
    """
    if device == "cpu":
        yield
        return
    cuda = cupy_module().cuda
    cublas, handle = cuda.cublas, cuda.device.get_cublas_handle()
    before = cublas.getMathMode(handle)
    cublas.setMathMode(handle, TF32_MATH if tf32 else cublas.CUBLAS_DEFAULT_MATH)
    try:
        yield
    finally:
        cublas.setMathMode(handle, before)


def free_memory(error: BaseException) -> str:
    """What the GPU of this thread has left, words for the end of an error, if `error` is that it has not enough."""
    cupy = sys.modules.get("cupy")
    if cupy is None or not isinstance(error, cupy.cuda.memory.OutOfMemoryError):
        return ""
    free, total = (size / 2**30 for size in cupy.cuda.runtime.memGetInfo())
    return f", {free:.3g} of {total:.3g} GiB of the GPU are free"


def array_module(array: object) -> ModuleType:
    """numpy or cupy, whichever `array` belongs to."""
    cupy = None if isinstance(array, (np.ndarray, np.generic)) else cupy_module()
    return np if cupy is None else cupy.get_array_module(array)


def to_host(array: Array) -> np.ndarray:
    """`array` as a NumPy array; it is copied if it lies on a GPU."""
    return array if isinstance(array, np.ndarray) else array.get() if hasattr(array, "get") else np.asarray(array)


def as_numbers(value: object, xp: ModuleType = np) -> Array | None:
    """`value` as an array of `xp`, if possible its own memory; None if it does not hold numbers, as a text, or rows of
    different lengths."""
    try:
        if hasattr(value, "detach"):  # a tensor of PyTorch, which keeps its numbers for itself if it has a gradient
            value = value.detach()
        if xp is np and hasattr(value, "cpu"):
            value = value.cpu()
        array = xp.asarray(value)
    except (TypeError, ValueError):
        return None
    return array if array.dtype.kind in "biuf" else None


def whole_limit(dtype: np.dtype) -> int:
    """2^24 for float32, 2^53 for float64: below it, every whole number can be told from the next."""
    return 1 << np.finfo(dtype).nmant + 1


def folded(shape: Sequence[int], *cuts: int) -> tuple[int, ...]:
    """`shape` with the axes between one cut and the next folded into one; cuts are axes from 0 on, ascending.

    One cut gives (rows, length), the cuts `axis, axis + 1` give (outer, axis, inner).

    >>> folded((2, 3, 4, 5), 1), folded((2, 3, 4, 5), 2, 3), folded((2, 3), 0, 2)
    ((2, 60), (6, 4, 5), (1, 6, 1))
    """
    return tuple(math.prod(shape[a:b]) for a, b in zip((0, *cuts), (*cuts, len(shape))))
