"""A strict stand-in for CuPy 14, over NumPy: it refuses what CuPy refuses, and counts what a GPU would do.

    import fakecupy
    fakecupy.install()  # `import cupy` is this package from now on: blobnet's device="gpu" then uses it
    fakecupy.reset(); ...; print(fakecupy.counts); print(fakecupy.sites)

What it refuses, as CuPy 14.2 does (each rule read in CuPy's source and tried on CuPy's own wheel):
- NumPy arrays as operands, as values of a[...] = x, as out=; np.asarray(device array) and every other silent copy to
  the host;
- functions, methods and keyword arguments that CuPy lacks (where= of ufuncs and reductions, take(mode=), np.errstate);
- casts that are not same_kind; out= of another shape; products of booleans or halves through out= of another type;
- structured dtypes and view("V12") (CuPy 14 has begun to allow them, 13 does not).
What it does as CuPy does: results without axes stay on the device; indices out of range wrap; b = a[()] is a view;
arrays of np.empty hold rubbish (NaN here); memory ends (devices.limits).
What CuPy leaves undefined is refused: assignment to repeated indices, one after the other winning. So is any use, but
for copies to the host, of arrays of another than the thread's GPU, of which there are two: CuPy may allow that, slowly.
Kernels are the CUDA text itself, compiled by g++ (kernels.py). They take just the types that the text says, contiguous
arrays, whole warps, and may write nowhere but into their arguments.
What it counts: `counts` (kernels, gemms, copies, waits ...), `sites` (where each wait came from: "file:line" of the
caller). A wait is a copy to the host: float(), int(), bool(), .item(), .tolist(), .get(), boolean masks as indices,
nonzero, unique, and print. The number of kernels is a model (one an operation, more where CuPy's source shows more):
right to about 10 %.

The other files of this folder are the pages of CuPy: each holds some of its functions, under CuPy's names.
"""

from __future__ import annotations

import ctypes
import sys
from types import ModuleType

import numpy as np

from fakecupy import (
    arrays,
    choosing,
    cuda,
    graphs,
    library,
    making,
    moving,
    products,
    random,
    reductions,
    streams,
    ufuncs,
)
from fakecupy.counting import counts, reset, sites, wrapped
from fakecupy.kernels import Function as RawFunction
from fakecupy.kernels import RawModule, compiler

__all__ = ["RawModule", "compiler", "counts", "cuda", "install", "random", "reset", "sites", "wrapped"]
__version__ = "14.2.0"

PAGES = choosing, making, moving, products, reductions
NUMPYS = """finfo iinfo dtype generic newaxis result_type can_cast inf nan pi e bool_ int8 int16 int32 int64
uint8 uint16 uint32 uint64 float16 float32 float64 complex64 complex128 intp integer floating number"""

get_default_memory_pool = streams.get_default_memory_pool
ndarray, ufunc, lib = arrays.ndarray, ufuncs.ufunc, moving.lib
globals().update({name: getattr(np, name) for name in NUMPYS.split()}, **ufuncs.UFUNCS)  # NumPy's own in CuPy too
for _page in PAGES:
    globals().update({name: graphs.recorded(value) for name, value in vars(_page).items()
                      if getattr(value, "__module__", "") == _page.__name__ and not name.startswith("_")})
for _class in (ndarray, ufunc, RawFunction):
    graphs.record_methods(_class)


def __getattr__(name: str):
    known = hasattr(np, name) and not name.startswith("__")
    raise AttributeError(f"fakecupy has no {name!r}" + ": does CuPy have NumPy's? then add it" * known)


def install() -> ModuleType:
    """Let `import cupy` and `import cupyx` give this stand-in; returns it."""
    sys.modules["cupy"], sys.modules["cupyx"] = sys.modules[__name__], ModuleType("cupyx")
    sys.modules["cupyx"].scatter_add = graphs.recorded(choosing.scatter_add)
    ctypes.CDLL = library.load
    return sys.modules["cupy"]
