"""The rules for declarations notice types that say what is not so, and are silent about those that say what is."""

import numpy as np
import pytest

from blobnet.check import Case
from blobnet.check.rules import RULES
from blobnet.core.layer import Layer
from blobnet.core.pairs import Pairs
from blobnet.core.registry import LAYERS, register
from blobnet.errors import DataError
from blobnet.proto.messages import new


class Copy(Layer):
    """y = factor * x, cut to the size of a second bottom; it may make a parameter."""

    num_bottoms = (1, 2)
    num_tops = (1, 2)
    factor, shift = 1, 0
    shapes: tuple = ()

    def setup(self, bottom, top):
        for shape in self.shapes:
            self.add_param(shape, new("FillerParameter"))

    def reshape(self, bottom, top):
        for blob in top:
            blob.reshape(bottom[0].shape)

    def forward(self, bottom, top):
        for blob in top:
            blob.data[...] = self.factor * np.roll(bottom[0].data, self.shift, -1)

    def backward(self, top, propagate_down, bottom):
        bottom[0].diff[...] = sum(blob.diff for blob in top)


class Rows(Layer):
    """Two tops from nowhere: values (5, 3), labels 0 … 4. The options are those of MemoryData."""

    options_field = batch_field = "memory_data_param"
    num_bottoms, num_tops, label_tops = 0, 2, (1,)
    kept, step, records = 0.0, 1, 7

    @classmethod
    def declared_shapes(cls, layer, batch):
        return [None, (batch,)]

    @classmethod
    def read_shape(cls, layer, top, batch):
        return (batch, 3) if top == 0 else None

    def reshape(self, bottom, top):
        top[0].reshape((5, 3))
        top[1].reshape((5,))

    def forward(self, bottom, top):
        top[1].data[...] = self.step * np.arange(5)


class Filled(Rows):
    """Its tops are the user's."""

    batch_field, is_input, label_tops = "", True, ()

    def forward(self, bottom, top):
        top[0].data[...] += self.kept


class Listed(Rows):
    """It has a source, in the options of ImageData."""

    options_field = batch_field = source_field = "image_data_param"

    @classmethod
    def count_records(cls, layer):
        if layer.image_data_param.source != "list":
            raise DataError("list", "no such file")
        return 7


@pytest.fixture
def found():
    """The breaches of a rule by a type, which is registered for one test."""
    before = dict(LAYERS)

    def check(rule, base, **attributes):
        register(type(base.__name__, (base,), attributes))
        if base is Copy:
            values, more = [(2, 3, 4, 5)] * 2, 'bottom: "x" bottom: "r"'
        else:
            values, more = [], 'memory_data_param { batch_size: 5 } image_data_param { batch_size: 5 source: "list" }'
        case = Case(f'layer {{ name: "it" type: "{base.__name__}" top: "y" top: "z" {more} }}', values)
        return list(RULES[rule](case))

    yield check
    LAYERS.clear()
    LAYERS.update(before)


def told(result):
    """A class method that always says the same."""
    return classmethod(lambda cls, *arguments: result)


def seen(distance=0.0, force=((0, 1), (1, 0))):
    """A method that sees the pairs of two rows."""
    def code_pairs(self, bottom):
        rows = bottom[0].data.reshape(len(bottom[0].data), -1)
        distances = np.square(rows[:, None] - rows).sum(axis=2) + distance
        return Pairs(distances, np.ones((2, 2), bool), np.array(force), None)

    return code_pairs


@pytest.mark.parametrize("rule, base, good, wrong", [
    ("passes_labels", Copy, {"passes_labels": True, "shift": 1}, {"factor": 2}),
    ("is_split", Copy, {"is_split": True, "num_bottoms": 2}, {"factor": 2}),
    ("size_bottoms", Copy, {"size_bottoms": (1,)}, {"size_bottoms": (0,)}),
    ("coordinates", Copy, {"keeps_coordinates": True}, {"shift": 1}),
    ("coordinates", Copy, {"coordinates": told((2, 1, 1)), "shift": 1}, {"coordinates": told((2, 1, -1))}),
    ("coordinates", Copy, {"coordinates": told((1, 1, 0))}, {"coordinates": told((1, 2, 0))}),
    ("rectifies", Copy, {"rectifies": True}, {"factor": 0}),
    ("bounds", Copy, {"bounds": told(None)}, {"bounds": told((-1, 1))}),
    ("bounds", Copy, {"bounds": told(None)}, {"bounds": told((0, np.inf)), "factor": 0}),  # a gradient is at the bound
    ("keeps_statistics", Copy, {"shapes": ((2,),)}, {"keeps_statistics": True}),
    ("code_pairs", Copy, {}, {"code_pairs": seen(distance=1)}),
    ("code_pairs", Copy, {"code_pairs": seen()}, {"code_pairs": seen(force=[[0, 1], [2, 0]])}),
    ("code_pairs", Copy, {"code_pairs": seen()}, {"code_pairs": seen(force=[[0, -1], [-1, 0]])}),
    ("code_pairs", Copy, {"code_pairs": seen()}, {"code_pairs": seen(force=[[1, 0], [0, 0]])}),
    ("is_input", Filled, {}, {"kept": 1}),
    ("shapes_without_data", Rows, {}, {"declared_shapes": told([None, (4,)])}),
    ("shapes_without_data", Rows, {}, {"read_shape": told((5, 4))}),
    ("shapes_without_data", Rows, {}, {"read_shape": told(None)}),
    ("shapes_without_data", Rows, {}, {"declared_shapes": told([(5, 3), (5,)])}),  # whatever the batch
    ("source", Rows, {}, {"batch_field": "relu_param"}),
    ("source", Listed, {}, {"source_field": "memory_data_param"}),
    ("source", Listed, {}, {"records": 6}),
    ("source", Listed, {}, {"count_records": told(7)}),  # whatever the source
    ("label_tops", Rows, {}, {"step": 0.5}),
    ("label_tops", Copy, {"label_tops": ()}, {"label_tops": (1,)}),
    ("facts", Rows, {"key_options": {"channels": ""}}, {"key_options": {"chanels": ""}}),
    ("facts", Rows, {}, {"facts": told("batch 5")}),
    ("facts", Rows, {}, {"facts": told([""])}),
    ("window_field", Copy, {"window_field": "pooling_param"}, {"window_field": "relu_param"}),
    ("shows_rates", Copy, {"shows_rates": True, "options_field": "embed_param", "shapes": ((2, 2), (2,))},
     {"shapes": ()}),
    ("shows_rates", Copy, {"shows_rates": True, "options_field": "embed_param", "shapes": ((2, 2), (2,))},
     {"options_field": "relu_param"}),
])
def test_declarations_that_are_not_so_are_noticed(found, rule, base, good, wrong):
    assert found(rule, base, **good) == []
    assert found(rule, base, **good | wrong)
