"""CuPy, where it is installed, has every name that the stand-in for it has; no GPU is needed to see that."""

from importlib.util import find_spec
from types import ModuleType

import fakecupy
import pytest

pytestmark = pytest.mark.skipif(find_spec("cupy") is None, reason="no CuPy: pip install 'blobnet[gpu]'")
OURS = {"NUMPYS", "PAGES", "ModuleType", "RawFunction", "SimpleNamespace", "annotations", "as_strided", "compiler",
        "counts", "flatten", "install", "launch", "pass_", "reset", "result", "scatter_add", "sites", "wait", "wrap",
        "wrapped"}  # of the stand-in alone
PARTS = ("", "ndarray", "ufunc", "cuda", "cuda.Device", "cuda.Event", "cuda.MemoryPool", "cuda.Stream",
         "cuda.device", "cuda.nvrtc", "cuda.runtime", "random")
BLAS = "getMathMode", "setMathMode", "sgemmStridedBatched", "dgemmStridedBatched", "CUBLAS_DEFAULT_MATH"


def part(module, name):
    for word in filter(None, name.split(".")):
        module = getattr(module, word)
    return module


@pytest.mark.parametrize("name", PARTS)
def test_cupy_has_what_the_stand_in_has(name):
    import cupy

    mine, theirs = part(fakecupy, name), part(cupy, name)
    names = {key for key, value in ((key, getattr(mine, key)) for key in dir(mine) if key[0] != "_")
             if not isinstance(value, ModuleType) and key not in OURS}
    assert names and {key for key in names if not hasattr(theirs, key)} == set()


@pytest.mark.parametrize("name", BLAS)
def test_cublas_has_what_is_called(name):
    import cupy

    assert hasattr(cupy.cuda.cublas, name) and hasattr(fakecupy.cuda.cublas, name)
