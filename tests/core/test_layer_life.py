"""The life cycle that the base class gives every layer type, and the registry."""

import dataclasses

import numpy as np
import pytest

from blobnet.core.blob import Blob
from blobnet.core.context import TRAIN, Context
from blobnet.core.layer import Layer
from blobnet.core.registry import LAYERS, class_of, layer_class, register
from blobnet.errors import NetError
from blobnet.proto.text import parse


class Recorder(Layer):
    """Notes what is called."""

    num_bottoms, num_tops = (1, 2), (1, None)

    def setup(self, bottom, top):
        self.calls = ["setup"]

    def reshape(self, bottom, top):
        self.calls.append("reshape")
        for blob in top:
            blob.reshape(bottom[0].shape)


def make(cls=Recorder, text="", context=None, index=0):
    param = parse(f"layer {{ name: 'r' type: 'Recorder' phase: TRAIN {text} }}", "NetParameter").layer[0]
    return cls(param, context or Context(), index)


def changed(**attributes):
    return type("Recorder", (Recorder,), attributes)


def blobs(*shapes):
    return [Blob(shape) for shape in shapes]


def test_what_a_layer_knows():
    layer = make(context=Context(dtype=np.dtype("float64")))
    assert (layer.name, layer.type, layer.phase) == ("r", "Recorder", TRAIN)
    assert layer.xp is np and layer.dtype == np.float64 and layer.where == "layer 'r' (Recorder)"
    assert layer.options is None
    options = make(changed(options_field="relu_param"), "relu_param { negative_slope: 2 }").options
    assert options.negative_slope == 2


@pytest.mark.parametrize("attributes, bottoms, tops, words", [
    ({}, 0, 1, ["bottom", "1 to 2", "0"]),
    ({}, 3, 1, ["bottom", "1 to 2", "3"]),
    ({}, 1, 0, ["top", "at least 1", "0"]),
    ({"num_bottoms": 2}, 1, 1, ["bottom", "2", "1"]),
    ({"same_bottoms_tops": True}, 2, 1, ["as many tops as bottoms", "2 bottoms and 1 tops"]),
])
def test_arity(attributes, bottoms, tops, words):
    with pytest.raises(NetError) as error:
        make(changed(**attributes)).initialize(blobs(*[(2,)] * bottoms), blobs(*[()] * tops))
    assert all(word in str(error.value) for word in ["layer 'r' (Recorder)", *words]), error.value


def test_in_place_only_where_the_type_can():
    blob = Blob((2,))
    make(changed(in_place=True)).initialize([blob], [blob])
    with pytest.raises(NetError, match="cannot work in place; give the top a name of its own"):
        make().initialize([blob], [blob])


def test_setup_and_reshape_come_first_and_reshape_only_when_a_shape_is_new():
    layer, bottom, top = make(), blobs((2, 3)), blobs(())
    layer.initialize(bottom, top)
    assert layer.calls == ["setup", "reshape"] and top[0].shape == (2, 3)
    layer.update_shapes(bottom, top)
    assert layer.calls == ["setup", "reshape"]
    bottom[0].reshape(4, 3)
    layer.update_shapes(bottom, top)
    assert layer.calls == ["setup", "reshape", "reshape"] and top[0].shape == (4, 3)


def test_a_top_that_somebody_reshaped_is_put_right():
    layer, bottom, top = make(), blobs((2, 3)), blobs(())
    layer.initialize(bottom, top)
    top[0].reshape(9)
    layer.update_shapes(bottom, top)
    assert top[0].shape == (2, 3)


def test_reshape_always():
    layer, bottom, top = make(changed(reshape_always=True)), blobs((2, 3)), blobs(())
    layer.initialize(bottom, top)
    layer.update_shapes(bottom, top)
    assert layer.calls == ["setup", "reshape", "reshape"]


@pytest.mark.parametrize("attributes, text, weights", [
    ({}, "", [0, 0]), ({}, "loss_weight: 2 loss_weight: 0", [2, 0]),
    ({}, "loss_weight: 0 loss_weight: 0.5", [0, 0.5]),
    ({"default_loss_weight": True}, "loss_weight: 0 loss_weight: 3", [0, 3])])
def test_loss_weights_stand_in_the_diffs(attributes, text, weights):
    layer, bottom, top = make(changed(**attributes), text), blobs((2,)), blobs((), ())
    layer.initialize(bottom, top)
    for shape in ((2,), (5,), (3,)):  # growth brings new memory
        bottom[0].reshape(shape)
        layer.update_shapes(bottom, top)
        for blob, weight in zip(top, weights):
            assert blob.diff.shape == shape and (blob.diff == weight).all()
    top[0].data[...], top[1].data[...] = 1, 10
    assert layer.loss(top) == 3 * (weights[0] + 10 * weights[1])


@pytest.mark.parametrize("attributes, text, words", [
    ({}, "loss_weight: 1", "one loss_weight a top (2), or none, got 1; write 0 for tops that are no loss"),
    ({}, "loss_weight: [1, 0, 0]", "one loss_weight a top (2), or none, got 3"),
    ({"default_loss_weight": True}, "", "one loss_weight a top (2), got 0"),
])
def test_the_number_of_loss_weights(attributes, text, words):
    with pytest.raises(NetError) as error:
        make(changed(**attributes), text).initialize(blobs((2,)), blobs((), ()))
    assert words in str(error.value)


def test_add_param():
    layer = make(context=Context(dtype=np.dtype("float64"), seed=3))
    blob = layer.add_param((2, 3), parse("type: 'gaussian'", "FillerParameter"))
    assert layer.blobs == [blob] and layer.param_propagate_down == [True]
    assert blob.data.dtype == np.float64 and np.unique(blob.data).size == 6
    other = layer.add_param((2, 3), parse("type: 'gaussian'", "FillerParameter"))
    assert not np.isin(other.data, blob.data).any()  # the stream goes on


def test_random_numbers_are_a_function_of_seed_layer_and_step():
    def draw(seed=5, index=2, step=7):
        return make(context=Context(seed=seed, step=step), index=index).random().random(4).tolist()

    assert draw() == draw()
    others = [draw(seed=6), draw(index=3), draw(step=8), draw(seed=2, index=5), draw(seed=0, index=0, step=0)]
    assert len({tuple(numbers) for numbers in [draw(), *others]}) == 6


def test_the_first_step_does_not_repeat_the_fillers_numbers():
    layer = make(context=Context(seed=5))
    filled = layer.add_param((4,), parse("type: 'uniform'", "FillerParameter")).data
    assert not np.allclose(layer.random().random(4), filled)


def test_a_type_without_backward():
    layer, bottom, top = make(), blobs((2,)), blobs((2,))
    layer.backward(top, [False], bottom)
    with pytest.raises(NetError, match=r"layer 'r' \(Recorder\): has no backward"):
        layer.backward(top, [True], bottom)


@pytest.mark.parametrize("method, arguments", [("reshape", 2), ("forward", 2)])
def test_a_type_that_forgets_a_method(method, arguments):
    with pytest.raises(NotImplementedError, match=f"Layer must define {method}"):
        getattr(make(Layer), method)(*[[]] * arguments)


def test_register_and_replace(monkeypatch):
    monkeypatch.setattr("blobnet.core.registry.LAYERS", dict(LAYERS))
    assert register(Recorder) is Recorder and layer_class("Recorder", str) is Recorder
    newer = changed()
    register(newer)
    assert layer_class("Recorder", str) is newer


def variant(name, field):
    """A type that a net calls Recorder, if this field of relu_param is given."""
    return type(name, (Recorder,), {"variant_of": "Recorder", "claims": classmethod(
        lambda cls, param: param.relu_param.HasField(field))})


def test_variants_of_a_name(monkeypatch):
    monkeypatch.setattr("blobnet.core.registry.LAYERS", {})
    sloped, engine = register(variant("Sloped", "negative_slope")), register(variant("Engine", "engine"))

    def found(text="", kind="Recorder"):
        return class_of(parse(f"layer {{ name: 'r' type: '{kind}' {text} }}", "NetParameter").layer[0])

    with pytest.raises(NetError, match=r"layer 'r': unknown layer type 'Recorder'; here it is Engine, by "):
        found()
    register(Recorder)
    assert found() is found("relu_param { }") is Recorder
    assert found("relu_param { negative_slope: 0 }") is found("relu_param { engine: CAFFE }", "Sloped") is sloped
    assert found("relu_param { engine: CAFFE }") is engine
    with pytest.raises(NetError, match="layer 'r': expected the fields of one .* got those of Engine and Sloped"):
        found("relu_param { engine: CAFFE negative_slope: 1 }")
    assert register(type("Mine", (sloped,), {})) is found(kind="Mine")
    assert found("relu_param { negative_slope: 0 }") is sloped, "what a subclass inherits is not its own"
    newer = register(changed())
    assert found("relu_param { negative_slope: 0 }") is newer, "who replaces a type replaces its variants"


def test_a_variant_without_claims():
    with pytest.raises(NotImplementedError, match="Recorder must define claims"):
        Recorder.claims(None)


@pytest.mark.parametrize("name, hint", [
    ("Convolutoin", "did you mean 'Convolution'"), ("relu", "did you mean 'ReLU'"),
    ("Zzzzzz", "write it as a plug-in")])
def test_unknown_type(name, hint):
    with pytest.raises(NetError) as error:
        layer_class(name, lambda: "net.prototxt:3:9: layer 'a'")
    assert str(error.value).startswith(f"net.prototxt:3:9: layer 'a': unknown layer type {name!r}; {hint}")


def test_a_context_of_its_own():
    """Nothing that changes is shared between nets: every field of a context has a value of its own."""
    one, two = Context(), Context()
    one.step = 3
    assert two.step == 0
    assert one.workspace is not two.workspace
    assert one.doubts is not two.doubts
    assert {field.name for field in dataclasses.fields(Context)} == {
        "xp", "dtype", "seed", "step", "python_layers", "fillers", "device", "allow_tf32", "processes", "workspace"}
