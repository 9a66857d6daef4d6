"""RawModule of the stand-in: CUDA text, compiled by g++ and run on the CPU.

cuda_on_cpu.h makes the language of it: blocks run one after the other, the threads of a block take turns at barriers.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from fakecupy.arrays import host, ndarray
from fakecupy.counting import Refused, counts

HERE = Path(__file__).parent
KERNEL = re.compile(r'extern "C" __global__ void (\w+)\(([^)]*)\)')
FUNCTION = re.compile(r"__(?:device|global)__ [^;(]*?(\w+)\(")
FLAGS = "-O2 -std=c++17 -shared -fPIC -w -ffp-contract=off".split()
SIZES = {"int": np.int32, "wide": np.int64, "float": np.float32, "double": np.float64}
ELEMENTS = {**SIZES, "unsigned char": np.uint8, "bool": np.bool_, "unsigned": np.uint32,
            "unsigned long long": np.uint64}
fenced = True  # whether what a kernel writes beside its arguments is noticed, which takes time


def compiler() -> str | None:
    """g++, if it is installed."""
    return shutil.which("g++")


class RawModule:
    """The kernels of the text `code`; options may hold -D."""

    def __init__(self, code: str, options: tuple[str, ...] = ()):
        defines = [option for option in options if option.startswith("-D")]
        self.real = dict(option[2:].partition("=")[::2] for option in defines).get("REAL", "float")
        self.parameters = {name: [_parameter(part, self.real) for part in parameters.split(",")]
                           for name, parameters in KERNEL.findall(code)}
        waiting = with_barriers(code)
        entries = [f"CUDA_ON_CPU_KERNEL({name}, {int(name in waiting)})" for name in self.parameters]
        text = "\n".join(['#include "cuda_on_cpu.h"', code, *entries])
        self.library = ctypes.PyDLL(_compiled(text, defines))  # which keeps the interpreter: one launch at a time

    def get_function(self, name: str) -> Function:
        """The kernel `name`."""
        return Function(name, self.parameters[name], getattr(self.library, f"cuda_on_cpu_{name}"))


class Function:
    """A kernel: function((blocks,), (threads,), arguments). It takes just the types that its text says."""

    def __init__(self, name: str, parameters: list[tuple[np.dtype, bool]], entry):
        self.name, self.parameters, self.entry = name, parameters, entry

    def __call__(self, grid, block, arguments):
        (blocks,), (threads,) = grid, block
        if not 1 <= blocks < 1 << 31 or threads not in range(32, 1025, 32):
            raise Refused(f"{self.name}: {blocks} blocks of {threads} threads")
        if len(arguments) != len(self.parameters):
            raise Refused(f"{self.name} takes {len(self.parameters)} arguments, not {len(arguments)}")
        counts["kernels"] += 1
        counts[f"kernel {self.name}"] += 1
        fences = {id(given): Fence(host(given)) for given in arguments if isinstance(given, ndarray)}
        for fence in fences.values():
            fence.join(fences.values())
        values = [self._value(i, given, fences) for i, given in enumerate(arguments)]
        pointers = (ctypes.c_void_p * len(values))(*(value.ctypes.data for value in values))
        self.entry(pointers, ctypes.c_uint(blocks), ctypes.c_uint(threads))
        for fence in fences.values():
            fence.check(self.name)

    def _value(self, i: int, given, fences: dict[int, Fence]) -> np.ndarray:
        """What the entry reads the argument from: a number, or the address of an array."""
        dtype, pointer = self.parameters[i]
        where = f"{self.name}, argument {i}"
        if isinstance(given, ndarray):
            if not pointer or given.dtype != dtype or not given.flags.c_contiguous:
                raise Refused(f"{where}: no contiguous array of {dtype}, but {given.dtype} of strides {given.strides}")
            return np.array([fences[id(given)].address], np.uintp)
        if not isinstance(given, np.generic) or given.dtype != (np.uintp if pointer else dtype) or pointer and given:
            raise Refused(f"{where}: {given!r} for {dtype}{' *' * pointer}")
        return np.array([given])


class Fence:
    """A copy of an array for the time of a launch, between bytes that read as NaN and may not be written.

    Arrays that are the same memory have one copy. Those that share a part of it have none.
    """

    WIDTH = 4096

    def __init__(self, array: np.ndarray):
        self.array, self.copy = array, None
        self.start, self.end = array.ctypes.data, array.ctypes.data + array.nbytes

    def join(self, others: Iterable[Fence]) -> None:
        """Make the copy, once all are known."""
        sharing = [other for other in others if other.start < self.end and self.start < other.end]
        parts = any((other.start, other.end) != (self.start, self.end) for other in sharing)
        if parts or not self.array.flags.c_contiguous or not fenced:
            return
        self.copy = next((each.copy for each in sharing if each.copy is not None), None)
        if self.copy is None:
            self.copy = np.full(self.array.nbytes + 2 * self.WIDTH, 0xFF, np.uint8)
            self.copy[self.WIDTH:-self.WIDTH] = self.array.reshape(-1).view(np.uint8)

    @property
    def address(self) -> int:
        """What the kernel gets."""
        return self.start if self.copy is None else self.copy.ctypes.data + self.WIDTH

    def check(self, kernel: str) -> None:
        """Give the array what the kernel wrote; Refused if it wrote beside it."""
        if self.copy is None:
            return
        if not (self.copy[:self.WIDTH] == 0xFF).all() or not (self.copy[-self.WIDTH:] == 0xFF).all():
            raise Refused(f"{kernel} writes outside of an array of {self.array.size} {self.array.dtype}")
        ctypes.memmove(self.start, self.address, self.array.nbytes)  # also to a view that NumPy would not write


def with_barriers(code: str) -> set[str]:
    """The functions of the text in which threads wait for others, or that call such ones."""
    starts = [*FUNCTION.finditer(code)]
    bodies = {start[1]: code[start.end():end] for start, end in
              zip(starts, [*(each.start() for each in starts[1:]), len(code)])}
    found: set[str] = set()
    while True:
        pattern = re.compile("|".join(["__sync", "__shfl", *(rf"\b{name}\b" for name in found)]))
        more = {name for name, body in bodies.items() if pattern.search(body)}
        if more <= found:
            return found
        found |= more


def _parameter(text: str, real: str) -> tuple[np.dtype, bool]:
    kind = re.sub(r"\bconst |\b\w+$", "", text.strip()).strip()
    kind, pointer = kind.rstrip("* "), kind.endswith("*")
    return np.dtype(ELEMENTS[real if kind == "real" else kind]), pointer


def _compiled(text: str, defines: list[str]) -> str:
    """The path of the shared library of `text`, which is compiled once on a machine."""
    key = hashlib.sha256("\0".join([text, *defines, *FLAGS, (HERE / "cuda_on_cpu.h").read_text()]).encode())
    path = Path(tempfile.gettempdir()) / f"blobnet-kernels-{os.getuid()}-{key.hexdigest()[:24]}.so"
    if not path.exists():
        with tempfile.TemporaryDirectory() as folder:
            source, library = Path(folder, "kernels.cpp"), Path(folder, "kernels.so")
            source.write_text(text)
            subprocess.run([compiler(), *FLAGS, *defines, "-I", HERE, source, "-o", library], check=True)
            held = path.with_suffix(f".{os.getpid()}")
            shutil.copy(library, held)
            os.replace(held, path)  # another process may do the same at this moment
    return str(path)
