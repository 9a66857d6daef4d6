"""debug_info of LSTM and RNN: the lines of the net that Caffe unrolls, here written out and run by blobnet itself."""

from __future__ import annotations

import logging
import re

import numpy as np
import pytest

from blobnet.core.context import TRAIN
from blobnet.core.net import Net
from blobnet.proto.text import parse

N, H, D, S = 2, 3, 4, 5


def layer(name, kind, bottoms, tops, options=""):
    ends = " ".join([f'bottom: "{blob}"' for blob in bottoms.split()] + [f'top: "{blob}"' for blob in tops.split()])
    return f'layer {{ name: "{name}" type: "{kind}" {ends} {options} }}\n'


def inner(name, bottom, top, rows, axis, *params, more=""):
    names = " ".join(f'param {{ name: "{param}" }}' for param in params)
    return layer(f"it_{name}", "InnerProduct", bottom, top, f"{names} {more} inner_product_param {{ num_output: {rows} "
                 f"axis: {axis} bias_term: {str(len(params) > 1).lower()} }}")


def given(name, shapes):
    """An Input layer of blobs by name."""
    dims = [" ".join(f"dim: {dim}" for dim in shape) for shape in shapes.values()]
    return layer(name, "Input", "", " ".join(shapes), f"input_param {{ {' '.join(f'shape {{ {d} }}' for d in dims)} }}")


def numbered(name, steps):
    return " ".join(f"{name}_{t}" for t in range(1, steps + 1))


def unrolled(kind, steps, static):
    """Caffe's net for `steps` steps of the layer 'it', and the loss that is the sum of its output."""
    lstm = kind == "LSTM"
    k, rows = ("c", 4 * H) if lstm else ("h", H)
    inputs = [("x", (steps, N, D)), ("cont", (steps, N))] + [("x_static", (N, S))] * static
    states = [("c_0", (1, N, H)), ("h_0", (1, N, H))][1 - lstm:]
    text = "debug_info: true\n" + given("it_", dict(inputs)) + given("it_", dict(states))
    text += layer("it_cont_slice", "Slice", "cont", numbered("cont", steps), "slice_param { axis: 0 }")
    text += inner("x_transform", "x", f"W_x{k}_x", rows, 2, f"W_x{k}", f"b_{k}", more="propagate_down: true")
    name = f"W_x{k}_x_static"
    if static:
        text += inner(name, "x_static", f"{name}_preshape", rows, 1, f"W_x{k}_static", more="propagate_down: true")
        text += layer(f"it_{name}_reshape", "Reshape", f"{name}_preshape", name,
                      f"reshape_param {{ shape {{ dim: 1 dim: -1 dim: {rows} }} }}")
    text += layer(f"it_W_x{k}_x_slice", "Slice", f"W_x{k}_x", numbered(f"W_x{k}_x", steps), "slice_param { axis: 0 }")
    for t in range(1, steps + 1):
        s = t - 1
        text += layer(f"it_h_conted_{s}", "Scale", f"h_{s} cont_{t}", f"h_conted_{s}", "scale_param { axis: 0 }")
        text += inner(f"transform_{t}" if lstm else f"W_hh_h_{s}", f"h_conted_{s}", f"W_h{k}_h_{s}", rows, 2, f"W_h{k}")
        parts = f"W_h{k}_h_{s} W_x{k}_x_{t} {name if static else ''}"
        if lstm:
            text += layer(f"it_gate_input_{t}", "Eltwise", parts, f"gate_input_{t}")
            text += layer(f"it_unit_{t}", "LSTMUnit", f"c_{s} gate_input_{t} cont_{t}", f"c_{t} h_{t}")
        else:
            text += layer(f"it_h_input_sum_{t}", "Eltwise", parts, f"h_neuron_input_{t}")
            text += layer(f"it_h_neuron_{t}", "TanH", f"h_neuron_input_{t}", f"h_{t}")
            text += inner(f"W_ho_h_{t}", f"h_{t}", f"W_ho_h_{t}", H, 2, "W_ho", "b_o")
            text += layer(f"it_o_neuron_{t}", "TanH", f"W_ho_h_{t}", f"o_{t}")
    out = "h" if lstm else "o"
    text += layer("it_", "Split", f"c_{steps}", "c_T") if lstm else ""
    text += layer(f"it_{out}_concat", "Concat", numbered(out, steps), out, "concat_param { axis: 0 }")
    return text + layer("loss", "Reduction", out, "loss", "loss_weight: 1")


@pytest.fixture
def lines(caplog):
    caplog.set_level(logging.INFO, "blobnet")

    def take():
        found = [record.getMessage() for record in caplog.records if re.match(r" +\[\w+] Layer", record.getMessage())]
        caplog.clear()
        return [line for line in found if not re.search("Layer (loss|in|it),", line)]

    return take


@pytest.mark.parametrize("steps", [1, 3])
@pytest.mark.parametrize("static", [False, True])
@pytest.mark.parametrize("kind", ["LSTM", "RNN"])
def test_lines_of_the_unrolled_net(kind, static, steps, lines):
    rng, states = np.random.default_rng(3), 1 + (kind == "LSTM")
    inputs = {"x": (steps, N, D), "cont": (steps, N), "x_static": (N, S), "h_0": (1, N, H), "c_0": (1, N, H)}
    inputs = {name: rng.normal(size=shape) for name, shape in inputs.items()}
    inputs["cont"] = (rng.random((steps, N)) < 0.7).astype(float)
    names = ["x", "cont"] + ["x_static"] * static + ["h_0", "c_0"][:states]
    source = given("in", {name: inputs[name].shape for name in names})
    source += layer("it", kind, " ".join(names), "y h c"[:1 + 2 * states],
                    "propagate_down: true propagate_down: false " + "propagate_down: true " * (static + states) +
                    f"recurrent_param {{ num_output: {H} "
                    "expose_hidden: true debug_info: true weight_filler { type: 'gaussian' std: 0.5 } "
                    "bias_filler { type: 'gaussian' std: 0.5 } }")
    source += layer("loss", "Reduction", "y", "loss", "loss_weight: 1")
    net = Net(parse(source, "NetParameter"), TRAIN, dtype="float64")
    feed = {name: inputs[name] for name in names}
    net.forward(**feed)
    net.backward()
    ours = lines()
    assert len(ours) > 10 * steps

    slow = Net(parse(unrolled(kind, steps, static), "NetParameter"), TRAIN, dtype="float64")
    for ours_blob, slow_parameter in zip(net.params["it"], slow.parameters, strict=True):
        slow_parameter.blob.data[...] = ours_blob.data
    slow.forward(**feed)
    slow.backward()
    assert ours == lines()


@pytest.mark.parametrize("kind", ["LSTM", "RNN"])
def test_they_show_what_the_layer_computes(kind):
    source = given("in", {"x": (2, N, D), "cont": (2, N)})
    source += layer("it", kind, "x cont", "y", f"""recurrent_param {{ num_output: {H} debug_info: true
        weight_filler {{ type: 'gaussian' std: 0.5 }} bias_filler {{ type: 'gaussian' std: 0.5 }} }}""")
    source += layer("loss", "Reduction", "y", "loss", "loss_weight: 1")
    net, rng = Net(parse(source, "NetParameter"), TRAIN, dtype="float64"), np.random.default_rng(5)
    for steps, num in ((2, N), (2, N), (3, N), (3, N + 1)):  # states go on, and gradients add up
        net.forward(x=rng.normal(size=(steps, num, D)), cont=np.ones((steps, num)))
        net.backward()
        slow = net.layer_dict["it"].unrolled
        np.testing.assert_allclose(slow.net.blobs[slow.output].data, net.blobs["y"].data, rtol=1e-12)
        for ours, theirs in zip(net.params["it"], slow.net.parameters, strict=True):
            np.testing.assert_allclose(theirs.blob.diff, ours.diff, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("kind", ["LSTM", "RNN"])
def test_silent_unless_asked(kind, lines):
    source = given("in", {"x": (2, 1, 2), "cont": (2, 1)})
    source += layer("it", kind, "x cont", "y", "recurrent_param { num_output: 2 }")
    Net(parse(source, "NetParameter")).forward()
    assert lines() == []
