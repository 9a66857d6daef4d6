"""The rules of the contract notice layers that break them, and say nothing about one that keeps them."""

import pytest

from blobnet.check import Case, check_contract, check_page
from blobnet.check.rules import RULES
from blobnet.core.layer import Layer
from blobnet.core.registry import LAYERS, register
from blobnet.proto.messages import new


class Doubling(Layer):
    """y = 2 * weight * x, of parameter weight (); a layer that keeps every rule."""

    def setup(self, bottom, top):
        self.add_param((), new("FillerParameter", type="gaussian", std=1, mean=3))

    def reshape(self, bottom, top):
        top[0].reshape(bottom[0].shape)

    def forward(self, bottom, top):
        self.weight = float(self.blobs[0].data)
        top[0].data[...] = 2 * self.weight * bottom[0].data

    def backward(self, top, propagate_down, bottom):
        if self.param_propagate_down[0]:
            self.blobs[0].diff[...] += 2 * (top[0].diff * bottom[0].data).sum()
        if propagate_down[0]:
            bottom[0].diff[...] = 2 * self.weight * top[0].diff


class WritesBottom(Doubling):
    def forward(self, bottom, top):
        super().forward(bottom, top)
        bottom[0].data[0] = 0


class RebindsBottom(Doubling):
    def backward(self, top, propagate_down, bottom):
        bottom[0].share_diff(top[0])
        super().backward(top, propagate_down, bottom)


class RebindsParameter(Doubling):
    def forward(self, bottom, top):
        self.blobs[0].share_data(type(self.blobs[0])((), self.xp, self.dtype))
        super().forward(bottom, top)


class WritesParameter(Doubling):
    def forward(self, bottom, top):
        super().forward(bottom, top)
        self.blobs[0].data[...] += 1


class WritesDiff(Doubling):
    def forward(self, bottom, top):
        super().forward(bottom, top)
        bottom[0].diff.fill(0)


class AddsToBottomDiff(Doubling):
    def backward(self, top, propagate_down, bottom):
        before = bottom[0].diff.copy()
        super().backward(top, propagate_down, bottom)
        bottom[0].diff[...] += before


class IgnoresPropagateDown(Doubling):
    def backward(self, top, propagate_down, bottom):
        super().backward(top, [True], bottom)


class OverwritesParameterDiff(Doubling):
    def backward(self, top, propagate_down, bottom):
        self.blobs[0].diff.fill(0)
        super().backward(top, propagate_down, bottom)


class BackwardWritesData(Doubling):
    def backward(self, top, propagate_down, bottom):
        super().backward(top, propagate_down, bottom)
        top[0].data.fill(0)


class ClaimsInPlace(Doubling):
    in_place = True  # but backward reads x, which is gone


class AnyNumber(Doubling):
    def _check_arity(self, kind, arity, got):
        pass


class KeepsFirstShape(Doubling):
    def reshape(self, bottom, top):
        super().reshape(bottom, top)
        if not hasattr(self, "rows"):
            self.rows = len(bottom[0].data)

    def forward(self, bottom, top):
        super().forward(bottom, top)
        top[0].data[self.rows:] = 0


class FailsWhenEmpty(Doubling):
    def forward(self, bottom, top):
        super().forward(bottom, top)
        bottom[0].data.max()


class Counts(Doubling):
    calls = 0

    def forward(self, bottom, top):
        super().forward(bottom, top)
        self.calls += 1
        top[0].data[...] += self.calls


class LosesDigits(Doubling):
    def forward(self, bottom, top):
        super().forward(bottom, top)
        top[0].data[...] = (top[0].data + 1e6) - 1e6


class WrongGradient(Doubling):
    def backward(self, top, propagate_down, bottom):
        super().backward(top, propagate_down, bottom)
        if propagate_down[0]:
            bottom[0].diff[...] *= 1.001


@pytest.fixture
def case():
    """Register a class for one test and make a case of it."""
    before = dict(LAYERS)

    def make(cls):
        register(cls)
        return Case(f'layer {{ name: "it" type: "{cls.__name__}" bottom: "x" top: "y" }}', [(3, 4)])

    yield make
    LAYERS.clear()
    LAYERS.update(before)


def test_a_good_layer_keeps_the_contract(case):
    assert check_contract(case(Doubling)) == []


@pytest.mark.parametrize(("cls", "rule"), [
    (WritesBottom, "forward_writes_tops"), (WritesParameter, "forward_writes_tops"),
    (WritesDiff, "forward_writes_tops"), (RebindsBottom, "keeps_arrays"), (RebindsParameter, "keeps_arrays"),
    (AddsToBottomDiff, "backward_writes_diffs"), (IgnoresPropagateDown, "backward_writes_diffs"),
    (OverwritesParameterDiff, "backward_writes_diffs"), (BackwardWritesData, "backward_writes_diffs"),
    (ClaimsInPlace, "in_place"), (AnyNumber, "arity"), (KeepsFirstShape, "reshape"), (FailsWhenEmpty, "empty_batch"),
    (Counts, "repeatable"), (LosesDigits, "dtypes"), (WrongGradient, "gradient")])
def test_breaches_are_noticed(case, cls, rule):
    bad = case(cls)
    assert list(RULES[rule](bad))
    assert any(breach.startswith(f"{rule}: ") for breach in check_contract(bad))


def test_exceptions_are_passed_over(case):
    bad = case(WrongGradient)
    allowed = Case(bad.source, bad.bottoms, exceptions={"gradient": "a reason"})
    assert check_contract(allowed) == []


PAGE = '''
"""A page."""
from blobnet.core.layer import Layer
{imports}


class {name}(Layer):
    """{doc}"""
    options_field = "relu_param"
'''
GOOD = ("Do a thing.\n\n    y = x\n\n    Bottoms: x    Tops: y    Params: none\n    Options: none\n"
        "    Paper: none.\n    Quirks: none.\n    ")


@pytest.mark.parametrize(("file", "name", "doc", "imports", "breaches"), [
    ("my_thing.py", "MyThing", GOOD, "", []),
    ("thing.py", "MyThing", GOOD, "", ["mything.py"]),
    ("my_thing.py", "MyThing", GOOD, "\n" * 170, ["lines"]),
    ("my_thing.py", "MyThing", GOOD, "import blobnet.layers.activation.relu", ["_base.py or ops"]),
    ("my_thing.py", "MyThing", GOOD, "from blobnet.layers.activation._base import Elementwise", ["_base.py or ops"]),
    ("my_thing.py", "MyThing", GOOD, "import cupy", ["cupy"]),
    ("my_thing.py", "MyThing", "Do a thing", "", ["purpose", "Bottoms", "formula", "Options"]),
    ("my_thing.py", "MyThing", GOOD.replace("y = x", "y is x"), "", ["formula"]),
    ("my_thing.py", "MyThing", GOOD.replace("Tops: y", ""), "", ["Bottoms:, Tops:, Params:"]),
    ("my_thing.py", "MyThing", GOOD.replace("Paper:", "By:"), "", ["Paper:, Quirks: in this order"]),
    ("my_thing.py", "MyThing", GOOD.replace("Quirks: none.", ""), "", ["Paper:, Quirks: in this order"]),
    ("my_thing.py", "MyThing", GOOD.replace("    Paper: none.\n", "") + "Paper: none.", "", ["in this order"]),
])
def test_page(tmp_path, monkeypatch, file, name, doc, imports, breaches):
    path = tmp_path / file
    path.write_text(PAGE.format(name=name, doc=doc, imports=imports))
    cls = type(name, (Layer,), {"__doc__": doc, "options_field": "relu_param"})
    monkeypatch.setattr("blobnet.check.page.inspect.getfile", lambda cls: str(path))
    found = check_page(cls)
    assert len(found) == len(breaches)
    assert all(part in breach for part, breach in zip(breaches, found, strict=True)), found
