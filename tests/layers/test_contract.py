"""The contract of layers, for every registered type."""

import pytest
from layer_cases import CASES

import blobnet.layers
from blobnet.check import check_page
from blobnet.check.page import WITHOUT_FORMULA
from blobnet.check.rules import RULES
from blobnet.core.registry import LAYERS

OURS = [cls for cls in LAYERS.values() if cls.__module__.startswith(blobnet.layers.__name__)]


def test_contract(case):
    breaches = {name: found for name, rule in RULES.items() if (found := list(rule(case)))}
    for name in RULES.keys() & case.exceptions.keys():
        assert breaches.pop(name, None), f"{name} is kept: strike the exception {case.exceptions[name]!r}"
    assert breaches == {}


def test_every_type_has_a_row():
    assert {cls.__name__ for cls in OURS} == {case.type.__name__ for case in CASES.values()}


@pytest.mark.parametrize("cls", OURS, ids=lambda cls: cls.__name__)
def test_page(cls):
    assert check_page(cls) == []


def test_types_without_formula_exist_and_have_none():
    assert WITHOUT_FORMULA.keys() <= {cls.__name__ for cls in OURS}
    assert not [cls.__name__ for cls in OURS if cls.formula and cls.__name__ in WITHOUT_FORMULA]
