"""Kernels with a twin for the GPU: both take the same arguments and give the same numbers.

On every machine the twins run on the stand-in for CuPy, their CUDA text compiled by g++.
"""

import inspect

import numpy as np
import pytest
from twin_rows import ROWS, kernels

from blobnet.backend import device_module, to_host

TOLERANCE = {"float32": 1e-5, "float64": 1e-12}


def compare(name, dtype):
    xp, kernel = device_module("gpu"), kernels()[name]
    for row in ROWS[name]:
        wanted = row(kernel.body, np, np.random.default_rng(0), dtype)
        found = row(kernel.cuda, xp, np.random.default_rng(0), dtype)
        assert len(wanted) == len(found) > 0
        for mine, other in zip(wanted, found):
            scale = max(1, np.abs(mine[np.isfinite(mine)]).max(initial=0))
            np.testing.assert_allclose(to_host(other), mine, rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype] * scale)


def test_every_twin_has_a_row():
    assert kernels().keys() == ROWS.keys()


@pytest.mark.parametrize("name", ROWS)
def test_a_twin_takes_the_same_arguments(name, stand_in):
    kernel = kernels()[name]
    parameters = [inspect.signature(function).parameters for function in (kernel.cuda, kernel.body)]
    assert [*parameters[0]] == [*parameters[1]]
    assert [each.default for each in parameters[0].values()] == [each.default for each in parameters[1].values()]


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("name", ROWS)
def test_a_twin_gives_the_same(name, dtype, stand_in):
    compare(name, dtype)


@pytest.mark.gpu
@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("name", ROWS)
def test_a_twin_gives_the_same_on_a_gpu(name, dtype):
    compare(name, dtype)
