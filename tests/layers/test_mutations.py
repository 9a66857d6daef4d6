"""One percent is noticed, in every gradient and in every top of every type. Quick enough to run with all tests."""

import numpy as np
import pytest

from blobnet.check import check_layer
from blobnet.check.gradient import learns
from blobnet.check.page import WITHOUT_FORMULA
from blobnet.check.rules import RULES
from blobnet.check.standalone import exact_gradient


def check(case):
    return check_layer(case.source, *case.values(), phase=case.phase, python_layers=case.python_layers)


def slopes(case):
    """The gradients of a case that are checked and not all zero: (kind, index, name of the blob)."""
    alone = case.build()
    weights, wanted = alone.layer.loss_weights, alone.differentiable()
    bottoms = alone.backward([w or np.ones(top.shape) for top, w in zip(alone.forward(), weights)], wanted)
    for i, diff in enumerate(bottoms):
        if wanted[i] and diff.any():
            yield "bottom", i, alone.layer.param.bottom[i]
    for i, blob in enumerate(alone.layer.blobs):
        if blob.diff.any():
            yield "param", i, f"param {i}"


def one_percent_more(right, kind, index):
    """A backward with one percent more in the diff of one bottom or parameter than `right` gives."""
    def backward(self, top, propagate_down, bottom):
        before = [blob.diff.copy() for blob in self.blobs]
        right(self, top, propagate_down, bottom)
        blob = bottom[index] if kind == "bottom" else self.blobs[index]
        blob.diff[...] += 0.01 * (blob.diff - (0 if kind == "bottom" else before[index]))

    return backward


def test_one_percent_of_a_gradient_is_noticed(case, monkeypatch):
    if "mutation" in case.exceptions:
        pytest.skip(case.exceptions["mutation"])
    right = case.type.backward
    for kind, index, name in slopes(case):
        monkeypatch.setattr(case.type, "backward", one_percent_more(right, kind, index))
        wrong = [result for result in check(case) if not result.passed]
        assert {result.blob for result in wrong} == {name}
        assert all("backward has" in result.note and "are wrong" in result.note for result in wrong)
        monkeypatch.undo()


def test_one_percent_of_a_gradient_is_seen_by_its_terms(case, monkeypatch):
    if "mutation" in case.exceptions:
        pytest.skip(case.exceptions["mutation"])
    alone = case.build()
    if exact_gradient(alone.layer.param, case.type):
        pytest.skip("a published gradient is no derivative, with which its terms could be compared")
    right = case.type.backward
    for kind, index, _ in slopes(case):
        if kind == "param" and not learns(alone.layer, index):
            continue
        monkeypatch.setattr(case.type, "backward", one_percent_more(right, kind, index))
        assert any(f"{kind} {index}[" in breach for breach in RULES["terms"](case))
        monkeypatch.undo()


def noticed(case):
    return bool(list(RULES["formula"](case))) or not all(result.passed for result in check(case))


def test_one_percent_of_a_top_is_noticed(case, monkeypatch):
    right, kind = case.type.forward, case.type.__name__
    missed = []
    for index, top in enumerate(case.build().forward()):

        def forward(self, bottom, top, index=index):
            right(self, bottom, top)
            top[index].data[...] *= 1.01

        monkeypatch.setattr(case.type, "forward", forward)
        if top.any() and not noticed(case):
            missed.append(index)
        monkeypatch.undo()
    if missed and kind in WITHOUT_FORMULA:
        pytest.skip(WITHOUT_FORMULA[kind])
    assert not missed, "the page needs a formula of all its tops, or the row `expected`"
