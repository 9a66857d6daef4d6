"""Settings of all tests, and a schema that tests may extend."""

import contextlib
import sys

import browser as browsers
import fakecupy
import pytest
from hypothesis import HealthCheck, settings

from blobnet.backend.devices import cupy_module
from blobnet.ops.cuda import launch
from blobnet.proto import messages

# A test passes or fails by what it finds, not by how busy the machine is, nor by chance; --hypothesis-profile=search
# draws other examples in each run.
settings.register_profile("blobnet", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
settings.register_profile("search", settings.get_profile("blobnet"), derandomize=False)
settings.load_profile("blobnet")


@pytest.fixture
def extendable(monkeypatch):
    """Forget the plug-in fields of a test after it."""
    monkeypatch.setattr(messages, "_extensions", {})
    messages._pool.cache_clear()
    yield
    messages._extensions.clear()
    messages._pool.cache_clear()


@contextlib.contextmanager
def stand_in_installed():
    """Let device="gpu" mean the stand-in for CuPy, in a with block."""
    if fakecupy.compiler() is None:
        pytest.skip("no g++: the kernels of the GPU cannot be compiled for the CPU")
    before = {name: sys.modules.pop(name, None) for name in ("cupy", "cupyx")}
    threads, launch.THREADS = launch.THREADS, 64  # of a block, whose threads take turns, and time
    forget_cupy()
    fakecupy.reset()
    yield fakecupy.install()
    for name, module in before.items():
        sys.modules.pop(name)
        if module is not None:
            sys.modules[name] = module
    launch.THREADS = threads
    forget_cupy()


def forget_cupy():
    """Let CuPy be looked for anew, and its kernels compiled."""
    for cached in (cupy_module, launch.function, launch.module):
        cached.cache_clear()


@pytest.fixture(scope="module")
def stand_in():
    """A GPU that is none: the stand-in for CuPy, which device="gpu" means during a test."""
    with stand_in_installed() as module:
        yield module


@pytest.fixture(scope="module", params=["stand-in", pytest.param("a GPU", marks=pytest.mark.gpu)])
def gpu(request):
    """device="gpu" is the stand-in, and once more, marked gpu, a GPU."""
    with stand_in_installed() if request.param == "stand-in" else contextlib.nullcontext():
        yield


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    """Chromium, for the tests of a file; without it they are skipped, and say so."""
    if browsers.PROGRAM is None:
        pytest.skip("NOT TESTED: no chromium on this machine, so nobody looked at the pages")
    shown = browsers.Browser(tmp_path_factory.mktemp("home"))
    yield shown
    shown.close()
