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
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
KERNEL = re.compile(r'extern "C" __global__ void (\w+)\(([^)]*)\)')
BARRIERS = re.compile(r"__sync|__shfl|block_sum")
FLAGS = "-O2 -std=c++17 -shared -fPIC -w -ffp-contract=off".split()
SIZES = {"int": np.int32, "wide": np.int64, "float": np.float32, "double": np.float64}
ELEMENTS = {**SIZES, "unsigned char": np.uint8, "bool": np.bool_, "unsigned": np.uint32,
            "unsigned long long": np.uint64}


def compiler() -> str | None:
    """g++, if it is installed."""
    return shutil.which("g++")


class RawModule:
    """The kernels of the text `code`; options may hold -D."""

    def __init__(self, code: str, options: tuple[str, ...] = ()):
        defines = [option for option in options if option.startswith("-D")]
        self.real = dict(option[2:].split("=") for option in defines).get("REAL", "float")
        self.parameters = {name: [_parameter(part, self.real) for part in parameters.split(",")]
                           for name, parameters in KERNEL.findall(code)}
        bodies = re.split(r'extern "C" __global__ void ', code)[1:]
        entries = [f"CUDA_ON_CPU_KERNEL({body.split('(')[0]}, {int(bool(BARRIERS.search(body)))})" for body in bodies]
        self.library = ctypes.CDLL(_compiled("\n".join(['#include "cuda_on_cpu.h"', code, *entries]), defines))

    def get_function(self, name: str) -> Function:
        """The kernel `name`."""
        return Function(name, self.parameters[name], getattr(self.library, f"cuda_on_cpu_{name}"))


class Function:
    """A kernel: function((blocks,), (threads,), arguments). It takes just the types that its text says."""

    def __init__(self, name: str, parameters: list[tuple[np.dtype, bool]], entry):
        self.name, self.parameters, self.entry = name, parameters, entry

    def __call__(self, grid, block, arguments, shared_mem=0):
        from fakecupy import arrays

        assert len(grid) == len(block) == 1 and 1 <= grid[0] < 1 << 31 and 32 <= block[0] <= 1024, (grid, block)
        assert block[0] % 32 == 0
        assert len(arguments) == len(self.parameters), f"{self.name} takes {len(self.parameters)} arguments"
        values = [self._value(i, given) for i, given in enumerate(arguments)]
        arrays.counts["kernels"] += 1
        arrays.counts[f"kernel {self.name}"] += 1
        pointers = (ctypes.c_void_p * len(values))(*(value.ctypes.data for value in values))
        self.entry(pointers, (ctypes.c_uint * 3)(*grid, 1, 1), (ctypes.c_uint * 3)(*block, 1, 1),
                   ctypes.c_size_t(shared_mem))

    def _value(self, i: int, given) -> np.ndarray:
        from fakecupy import arrays

        dtype, pointer = self.parameters[i]
        if not pointer:
            assert isinstance(given, np.generic) and given.dtype == dtype, f"{self.name}, argument {i}: {given!r}"
            return np.array([given])
        if isinstance(given, np.uintp):
            assert given == 0
            return np.array([given])
        assert isinstance(given, arrays.ndarray), f"{self.name}, argument {i}: {type(given)}"
        assert given.dtype == dtype, f"{self.name}, argument {i}: {given.dtype} for {dtype}"
        return np.array([given._a.ctypes.data], np.uintp)


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
