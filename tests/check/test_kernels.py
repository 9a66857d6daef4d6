"""Which pages need a formula: those whose forward calls a kernel of blobnet.ops, in whichever way."""

import pytest

import blobnet.layers  # noqa: F401  (registers them)
from blobnet.check import check_page
from blobnet.check.kernels import is_plain, kernels
from blobnet.core.layer import Layer
from blobnet.core.registry import LAYERS

PAGE = '''
"""A page."""
from blobnet.core.layer import Layer
from blobnet.layers.pooling._base import make_pool
from blobnet.ops.elementwise import elementwise
from blobnet.ops.softmax import softmax as squash


def helper(x, y):
    squash(x, y)


class Parent(Layer):
    def mother(self, x, y):
        squash(x, y)

    @property
    def plan(self):
        return helper


class MyThing(Parent):
    kernel = squash

    def setup(self, bottom, top):
        self.made, self.other = squash, 1
        self.pools = [make_pool("AVE")]

    def own(self, x, y):
        self.mother(x, y)

    def recursive(self, x, y):
        self.recursive(x, y)

    def backward(self, top, propagate_down, bottom):
        squash(top, bottom)

    def forward(self, bottom, top):
        {body}
'''
BODIES = {
    "directly": ("squash(bottom, top)", True),
    "a helper": ("helper(bottom, top)", True),
    "a method": ("self.own(bottom, top)", True),
    "a method of the parent": ("super().mother(bottom, top)", True),
    "a property": ("self.plan(bottom, top)", True),
    "an attribute": ("self.made(bottom, top)", True),
    "an attribute of the class": ("self.kernel(bottom, top)", True),
    "what another module makes": ("[pool.forward() for pool in self.pools]", True),
    "another attribute": ("self.other + 1", False),
    "a plain kernel": ("elementwise(None, bottom, top)", False),
    "nothing": ("self.recursive(bottom, top)", False),
}


@pytest.mark.parametrize(("body", "found"), BODIES.values(), ids=BODIES)
def test_kernels_are_found(tmp_path, monkeypatch, body, found):
    path = tmp_path / "my_thing.py"
    path.write_text(PAGE.format(body=body))
    cls = type("MyThing", (Layer,), {})
    monkeypatch.setattr("inspect.getfile", lambda cls: str(path))
    assert bool(kernels(cls)) is found
    assert any("needs a `formula`" in breach for breach in check_page(cls)) is found
    cls.formula = lambda self, x: x
    assert not any("needs a `formula`" in breach for breach in check_page(cls))


@pytest.mark.parametrize(("name", "called"), [
    ("Convolution", {"Convolution"}), ("Deconvolution", {"Convolution"}), ("Im2col", {"im2col"}),
    ("LRN", {"LocalNorm", "lrn_forward"}), ("Sigmoid", set()), ("InnerProduct", set()), ("Eltwise", set())])
def test_kernels_of_pages(name, called):
    assert kernels(LAYERS[name]) == called


def test_a_class_without_source_is_not_called_plain():
    assert not is_plain(type("Typed", (Layer,), {"__module__": "nowhere"}))
