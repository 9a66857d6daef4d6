"""Kernels with a twin for the GPU: both take the same arguments and give the same numbers."""

import importlib
import inspect
import pkgutil

import numpy as np
import pytest

from blobnet import ops
from blobnet.backend import device_module, to_host, twin

TWINS = {  # the arguments of a call, arrays of float64 or whole numbers; afterwards all arrays are compared
    "scatter_add": lambda rng: (rng.normal(size=(5, 3)), rng.integers(0, 5, 9), rng.normal(size=(9, 3))),
}


def kernels():
    """Every kernel of blobnet.ops that has a twin, by name."""
    modules = [importlib.import_module(module.name) for module in pkgutil.iter_modules(ops.__path__, "blobnet.ops.")]
    return {name: value for module in modules for name, value in vars(module).items()
            if isinstance(value, twin) and value._cuda is not value._body}


def test_every_twin_has_a_row():
    assert kernels().keys() == TWINS.keys()


@pytest.mark.parametrize("name", TWINS)
def test_a_twin_takes_the_same_arguments(name):
    kernel = kernels()[name]
    assert inspect.signature(kernel._cuda) == inspect.signature(kernel._body)


@pytest.mark.gpu
@pytest.mark.parametrize("dtype, rtol", [("float32", 1e-5), ("float64", 1e-12)])
@pytest.mark.parametrize("name", TWINS)
def test_a_twin_gives_the_same(name, dtype, rtol):
    arguments = [value.astype(dtype) if isinstance(value, np.ndarray) and value.dtype == float else value
                 for value in TWINS[name](np.random.default_rng(0))]
    xp, kernel = device_module("gpu"), kernels()[name]
    on_gpu = [xp.asarray(value) if isinstance(value, np.ndarray) else value for value in arguments]
    kernel(*arguments)
    kernel(*on_gpu)
    for mine, other in zip(arguments, on_gpu):
        np.testing.assert_allclose(to_host(other) if isinstance(mine, np.ndarray) else other, mine, rtol=rtol)
