"""The layers on a GPU: every row of the table gives the numbers of the CPU, to rounding, and keeps the contract."""

from functools import partialmethod

import numpy as np
import pytest

from blobnet.check.rules import RULES
from blobnet.check.rules.run import Run
from blobnet.check.standalone import read_layer
from blobnet.errors import ShapeError

TOLERANCE = {"float32": 1e-4, "float64": 1e-10}
SMALL = 1e-2  # errors are relative to the largest number of an array, and to no less
DEVICES = "cpu", "gpu"
KEPT = "repeatable", "formula", "forward_writes_tops", "backward_writes_diffs", "keeps_arrays"  # of the contract

pytestmark = pytest.mark.usefixtures("gpu")


def assert_alike(wanted, found, dtype="float64"):
    for name in ("tops", "bottom_diffs", "param_diffs"):
        for one, other in zip(getattr(wanted, name), getattr(found, name), strict=True):
            scale = max(SMALL, abs(one[np.isfinite(one)]).max(initial=0))
            np.testing.assert_allclose(other, one, rtol=0, atol=TOLERANCE[dtype] * scale, err_msg=name)


@pytest.mark.parametrize("dtype", TOLERANCE)
def test_same_numbers(case, dtype):
    assert_alike(*(Run(case.build(dtype=dtype, device=device)) for device in DEVICES), dtype)


def test_same_numbers_in_place(case):
    param = read_layer(case.source)
    if case.type.in_place and param.bottom and param.top:
        param.top[0] = param.bottom[0]
        assert_alike(*(Run(case.build(param=param, device=device)) for device in DEVICES))


def test_same_numbers_of_other_batches(case):
    """A larger batch after a smaller one, then one of no rows, then the first."""
    values = case.values()
    if not values or not all(value.shape for value in values):
        return
    larger = [np.concatenate([value, value[:1]]) if len(value) == len(values[0]) else value for value in values]
    both = [case.build(device=device) for device in DEVICES]
    for batch in (values, larger, [value[:0] for value in values], values):
        for alone in both:
            alone.values = batch
        try:
            wanted = Run(both[0])
        except ShapeError as error:
            with pytest.raises(ShapeError) as caught:
                Run(both[1])
            assert str(caught.value) == str(error)
        else:
            assert_alike(wanted, Run(both[1]))


def test_contract(case, monkeypatch):
    monkeypatch.setattr(type(case), "build", partialmethod(type(case).build, device="gpu"))
    rules = [rule for rule in KEPT if rule not in case.exceptions]
    assert {rule: list(RULES[rule](case)) for rule in rules} == {rule: [] for rule in rules}
