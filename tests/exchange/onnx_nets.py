"""What tests of the export share: nets from text, and the comparison with ONNX Runtime, which is that of the tool."""

import runpy
from pathlib import Path

import numpy as np

from blobnet.check.standalone import read_layer
from blobnet.core.context import TEST
from blobnet.core.net import Net
from blobnet.exchange.onnx import export
from blobnet.proto.messages import new
from blobnet.proto.text import parse

ROOT = Path(__file__).parent.parent.parent
TOOL = runpy.run_path(str(ROOT / "tools/compare_onnx.py"))
CLOSE = 1e-5  # of the largest number of an output


def net_of(text, **more):
    """The net of a prototxt, in the phase TEST, with parameters that are drawn alike each time."""
    net = Net(parse(text, "NetParameter"), TEST, random_seed=1, **more)
    for layer in net.layers:
        for blob in layer.blobs:
            blob.data[...] = np.random.default_rng(1).uniform(0.5, 1, blob.shape)
    return net


def net_of_layer(source, values, **more):
    """The net of one layer, and inputs for its bottoms."""
    layer, net = read_layer(source), new("NetParameter", name="one")
    for name, value in zip(layer.bottom, values):
        net.layer.add(name=f"input {name}", type="Input", top=[name], input_param={"shape": [{"dim": value.shape}]})
    net.layer.add().CopyFrom(layer)
    return Net(net, TEST, random_seed=3, **more), {
        name: np.float32(value) for name, value in zip(layer.bottom, values)}


def difference(net, model=None, inputs=None, **options):
    """How far the model of a net is from it."""
    model = export(net, **options) if model is None else model
    inputs = TOOL["draw_inputs"](net, np.random.default_rng(2)) if inputs is None else inputs
    return TOOL["compare"](net, model, inputs)
