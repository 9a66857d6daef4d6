"""The workspace of a net: results do not depend on what was in it, and it does not grow with the number of layers."""

from __future__ import annotations

import numpy as np
import pytest

import blobnet
from blobnet.core.memory import memory
from blobnet.proto.text import parse

FILL = 'weight_filler { type: "xavier" }'
HEAD = 'force_backward: true layer { name: "x" type: "Input" top: "x" input_param { shape { SHAPE } } }\n'


def conv(name, bottom, options):
    return f'layer {{ name: "{name}" type: "Convolution" bottom: "{bottom}" top: "{name}" ' \
           f'convolution_param {{ {options} {FILL} }} }}\n'


BODIES = {
    "convolutions": conv("a", "x", "num_output: 12 kernel_size: 3 pad: 1")
    + conv("b", "a", "num_output: 12 kernel_size: 5 pad: 2 stride: 2")
    + conv("c", "b", "num_output: 12 kernel_size: 3 pad: 2 dilation: 2 group: 2")
    + conv("d", "c", "num_output: 140 kernel_size: 3 pad: 1")
    + conv("e", "d", "num_output: 8 kernel_size: 1")
    + conv("f", "e", "num_output: 2 kernel_h: 1 kernel_w: 3 pad_h: 0 pad_w: 1"),
    "deconvolution": f"""
layer {{ name: "up" type: "Deconvolution" bottom: "x" top: "up"
  convolution_param {{ num_output: 9 kernel_size: 4 stride: 2 pad: 1 {FILL} }} }}
layer {{ name: "up2" type: "Deconvolution" bottom: "up" top: "up2"
  convolution_param {{ num_output: 3 group: 3 kernel_size: 3 stride: 3 {FILL} }} }}""",
    "pools": """
layer { name: "max" type: "Pooling" bottom: "x" top: "max" pooling_param { kernel_size: 3 stride: 2 pad: 1 } }
layer { name: "ave" type: "Pooling" bottom: "max" top: "ave" pooling_param { pool: AVE kernel_size: 3 stride: 1 } }
layer { name: "spp" type: "SPP" bottom: "ave" top: "spp" spp_param { pyramid_height: 2 } }
layer { name: "big" type: "Pooling" bottom: "x" top: "big" pooling_param { kernel_size: 8 stride: 8 } }""",
    "norms": f"""
layer {{ name: "across" type: "LRN" bottom: "x" top: "across" }}
layer {{ name: "within" type: "LRN" bottom: "across" top: "within"
  lrn_param {{ local_size: 3 norm_region: WITHIN_CHANNEL }} }}
layer {{ name: "bn" type: "BatchNorm" bottom: "within" top: "bn"
  batch_norm_param {{ moving_average_fraction: 0 }} }}
layer {{ name: "scale" type: "Scale" bottom: "bn" top: "bn" scale_param {{ bias_term: true }} }}
layer {{ name: "ip" type: "InnerProduct" bottom: "bn" top: "ip"
  inner_product_param {{ axis: 3 num_output: 70 {FILL} }} }}
layer {{ name: "back" type: "InnerProduct" bottom: "ip" top: "back"
  inner_product_param {{ axis: 3 num_output: 300 transpose: true {FILL} }} }}""",
}


class Spoil:
    """Before each layer, writes nan into all memory that layers use in passing."""

    def __init__(self, net):
        self.workspace, self.blocks = net.context.workspace, 0

    def before_forward(self, node):
        for block in self.workspace._spare.values():
            block[...] = 0xFF
            self.blocks += 1

    before_backward = before_forward


def build(body, shape, dtype="float32"):
    text = HEAD.replace("SHAPE", " ".join(f"dim: {n}" for n in shape)) + BODIES[body]
    return blobnet.Net(parse(text, "NetParameter"), blobnet.TRAIN, random_seed=3, dtype=dtype)


def run(net, shape):
    """All values and gradients after a pass forward and back."""
    rng = np.random.default_rng(1)
    net.clear_param_diffs()
    net.forward(x=rng.normal(size=shape))
    for name in net.outputs:
        net.blobs[name].diff[...] = rng.normal(size=net.blobs[name].shape)
    net.backward()
    blobs = [*net.blobs.values(), *(parameter.blob for parameter in net.parameters)]
    return [array.copy() for blob in blobs for array in (blob.data, blob.diff)]


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("threads", ["1", "3"])
def test_what_is_in_the_workspace_is_never_read(monkeypatch, body, dtype, threads):
    monkeypatch.setenv("BLOBNET_NUM_THREADS", threads)
    shapes = [(5, 8, 16, 16), (1, 8, 16, 16), (9, 8, 24, 16), (5, 8, 16, 16)]  # smaller, larger, as before
    spoiled, watched = build(body, shapes[0], dtype), 0
    for shape in shapes:
        spoil = Spoil(spoiled)
        with spoiled.watched_by(spoil):
            run(spoiled, shape)
            found = run(spoiled, shape)
        watched += spoil.blocks
        for mine, other in zip(found, run(build(body, shape, dtype), shape), strict=True):
            np.testing.assert_array_equal(mine, other)
            assert np.isfinite(mine).all()
    assert watched


def test_many_layers_use_as_much_as_one(monkeypatch):
    monkeypatch.setenv("BLOBNET_NUM_THREADS", "1")  # each thread that happens to work at the same time takes a block

    def workspace(layers):
        net = blobnet.Net(parse(HEAD.replace("SHAPE", "dim: 4 dim: 16 dim: 20 dim: 20") + "".join(
            conv(f"c{i}", f"c{i - 1}" if i else "x", "num_output: 16 kernel_size: 3 pad: 1")
            for i in range(layers)), "NetParameter"), blobnet.TRAIN, random_seed=1)
        run(net, (4, 16, 20, 20))
        return memory(net)

    few, many = workspace(2), workspace(12)
    assert 0 < many.workspace == few.workspace
    assert not set(many.layers)


def test_layers_that_run_without_a_net_keep_no_memory():
    net = build("convolutions", (2, 8, 16, 16))
    blobs = net.blobs
    net.layers[1].forward([blobs["x"]], [blobs["a"]])
    assert memory(net).workspace == 0
