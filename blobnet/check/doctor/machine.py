"""What blobnet runs on: Python, BLAS and its threads, memory, the variables that change it, the GPU."""

from __future__ import annotations

import math
import os
import platform
import sys
from collections.abc import Iterator
from importlib import metadata

from threadpoolctl import threadpool_info

from blobnet.backend import device_module, free_bytes, num_threads, total_bytes
from blobnet.check.doctor.findings import Finding, Mark
from blobnet.errors import DataError, DeviceError
from blobnet.proto import budget
from blobnet.published import PACKAGE

VARIABLES = {  # those that change what blobnet computes with, or says
    "OPENBLAS_CORETYPE": "the kernels of OpenBLAS are those of this processor",
    "OPENBLAS_NUM_THREADS": "threads of OpenBLAS",
    "OMP_NUM_THREADS": "threads of BLAS",
    "MKL_NUM_THREADS": "threads of MKL",
    "NPY_DISABLE_CPU_FEATURES": "instructions that NumPy does without",
    "BLOBNET_NUM_THREADS": "worker threads",
    budget.VARIABLE: "what a file may unpack to",
    "GLOG_minloglevel": "the lowest level that is logged",
    "CUDA_VISIBLE_DEVICES": "the GPUs that can be used",
    "CUPY_TF32": "products on a GPU round their factors",
    "NO_COLOR": "no colours",
    "FORCE_COLOR": "colours in files and pipes too",
}


def examine_installation(version: str) -> Iterator[Finding]:
    """Which blobnet this is, of `version`, and which Python runs it."""
    yield Finding("blobnet", "blobnet", f"{version}, in {PACKAGE}")
    try:
        installed = metadata.version("blobnet")
    except metadata.PackageNotFoundError:
        installed = version
    if installed != version:
        yield Finding("blobnet", "installed", f"{installed}, which is another one", Mark.NOTE,
                      "what is imported stands earlier in sys.path, as in PYTHONPATH or the present folder")
    yield Finding("blobnet", "Python", f"{platform.python_version()}, {sys.executable}")
    yield Finding("blobnet", "system", f"{platform.platform()}, {platform.machine()}")


def examine_machine() -> Iterator[Finding]:
    """BLAS, threads, memory, the variables that are set, and the GPUs."""
    libraries = [library for library in threadpool_info() if library["user_api"] == "blas"]
    for library in libraries:
        words = [library["internal_api"], library["version"] or "", library.get("architecture") or ""]
        yield Finding("machine", "BLAS", f"{' '.join(filter(None, words))}, threads: {library['num_threads']}")
    if not libraries:
        yield Finding("machine", "BLAS", "none that threadpoolctl knows: products may be slow", Mark.NOTE)
    yield Finding("machine", "threads", f"{num_threads()} worker threads, {os.cpu_count()} cores")
    sizes = [(total_bytes(), "in all"), (free_bytes(), "free")]
    yield Finding("machine", "memory", ", ".join(f"{budget.in_words(size)} {what}" for size, what in sizes
                                                 if size < math.inf) or "not known")
    for name, meaning in VARIABLES.items():
        if name in os.environ:
            yield _variable(name, meaning)
    yield from _gpus()


def _variable(name: str, meaning: str) -> Finding:
    value = os.environ[name]
    if name == "BLOBNET_NUM_THREADS" and not (value.isdigit() and int(value)):
        return Finding("machine", name, f"{value!r} has no effect", Mark.NOTE, "give it a whole number above 0")
    if name == budget.VARIABLE:
        try:
            budget.limit()
        except DataError as error:
            return Finding("machine", name, f"expected {error.expected}, got {error.got}", Mark.BROKEN, "unset it")
    return Finding("machine", name, f"{value!r}: {meaning}")


def _gpus() -> Iterator[Finding]:
    """Each GPU that can be used, or why there is none."""
    try:
        runtime = device_module("gpu").cuda.runtime
    except DeviceError as error:
        yield Finding("machine", "GPU", str(error).removeprefix(f"{error.where}: ").removesuffix(f"; {error.hint}"),
                      Mark.MISSING, error.hint)
        return
    driver, built = (f"{number // 1000}.{number % 1000 // 10}" for number in (runtime.driverGetVersion(),
                                                                             runtime.runtimeGetVersion()))
    for number in range(runtime.getDeviceCount()):
        gpu = runtime.getDeviceProperties(number)
        name = gpu["name"].decode() if isinstance(gpu["name"], bytes) else gpu["name"]
        yield Finding("machine", f"GPU {number}", f"{name}, {budget.in_words(gpu['totalGlobalMem'])}, capability "
                      f"{gpu['major']}.{gpu['minor']}, CUDA {built}, a driver for {driver}")
