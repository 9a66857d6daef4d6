"""The kernels in the .cu files of this folder: compiled when first used, and started."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from blobnet.backend import Array
from blobnet.backend.devices import cupy_module
from blobnet.backend.doubts import ROWS

THREADS = 256      # of a block
MOST_BLOCKS = ROWS  # enough for every GPU to be busy, and what a doubt has room for; kernels loop over the rest
KERNEL = re.compile(r'extern "C" __global__ void (\w+)\(([^)]*)\)')
REALS = {np.dtype("float32"): "float", np.dtype("float64"): "double"}
WHOLE = {"int": np.int32, "wide": np.int64}


class Signature(NamedTuple):
    """The types of the parameters of a kernel, and which of them is the first array of `real`, or -1."""

    types: tuple[str, ...]
    first: int


def source() -> str:
    """The text of all kernels: common.cuh, then the .cu files by name."""
    folder = Path(__file__).parent
    return "\n".join(path.read_text("utf-8") for path in (folder / "common.cuh", *sorted(folder.glob("*.cu"))))


@functools.cache
def signatures() -> dict[str, Signature]:
    """The parameters of every kernel, by its name."""
    found = {}
    for name, parameters in KERNEL.findall(source()):
        types = tuple(re.sub(r"\bconst |\b\w+$", "", part.strip()).replace(" ", "") for part in parameters.split(","))
        found[name] = Signature(types, types.index("real*") if "real*" in types else -1)
    return found


@functools.cache
def function(name: str, real: str) -> Callable:
    """The kernel `name` for one type of `real`, of CuPy, which loads it on every device that it is started on."""
    return module(real).get_function(name)


@functools.cache
def module(real: str) -> Any:
    """All kernels for one type of `real`."""
    return cupy_module().RawModule(code=source(), options=("--std=c++17", f"-DREAL={real}"))


def launch(name: str, count: int, *arguments: Array | float | None) -> None:
    """Start the kernel `name`, which loops over `count` items, a thread an item at a time.

    arguments: those of the kernel; arrays, which are contiguous, None for a null pointer, numbers.
    """
    _start(name, -(-count // THREADS), arguments)


def launch_rows(name: str, rows: int, *arguments: Array | float | None) -> None:
    """Start the kernel `name`, which loops over `rows`, a block a row at a time."""
    _start(name, rows, arguments)


def _start(name: str, blocks: int, arguments: tuple) -> None:
    if blocks < 1:
        return
    types, first = signatures()[name]
    dtype = np.dtype(np.float32) if first < 0 else arguments[first].dtype
    values = [_value(kind, given, dtype.type) for kind, given in zip(types, arguments, strict=True)]
    function(name, REALS[dtype])((min(blocks, MOST_BLOCKS),), (THREADS,), values)


def _value(kind: str, given: Any, real: type) -> Any:
    if kind in WHOLE:
        return WHOLE[kind](given)
    if kind[-1] == "*":
        if given is None:
            return np.uintp(0)
        if not given.flags.c_contiguous:
            raise ValueError(f"a kernel wants a contiguous array, not one of strides {given.strides}")
        return given
    return real(given) if kind == "real" else np.dtype(kind).type(given)
