"""Iterations that repeat take no new memory, but for that of the pieces that work is cut into."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

import blobnet
from blobnet.backend.pieces import PIECE_BYTES
from blobnet.core.without_data import without_data
from blobnet.netdef.load import load
from blobnet.proto.text import parse
from blobnet.published import published

KEPT = 1 << 16  # bytes that may stay from one iteration to the next: Python's own objects

FILL = 'weight_filler { type: "msra" }'


def residual():
    """Two residual blocks of convolutions with normalisation; every blob has 6 MiB."""
    text = 'layer { name: "data" type: "Input" top: "data" top: "label" input_param { ' \
           'shape { dim: 8 dim: 12 dim: 128 dim: 128 } shape { dim: 8 } } }\n'

    def add(name, kind, bottoms, options="", top=None):
        nonlocal text
        read = " ".join(f'bottom: "{bottom}"' for bottom in bottoms.split())
        text += f'layer {{ name: "{name}" type: "{kind}" {read} top: "{top or name}" {options} }}\n'
        return top or name

    top = "data"
    for block in "ab":
        inner = add(f"{block}_conv", "Convolution", top, f"convolution_param {{ num_output: 12 kernel_size: 3 pad: 1 "
                    f"bias_term: false {FILL} }}")
        add(f"{block}_bn", "BatchNorm", inner, top=inner)
        add(f"{block}_scale", "Scale", inner, "scale_param { bias_term: true }", inner)
        top = add(f"{block}_sum", "Eltwise", f"{top} {inner}")
        add(f"{block}_relu", "ReLU", top, top=top)
    add("pool", "Pooling", top, "pooling_param { pool: MAX kernel_size: 3 stride: 2 }")
    add("lrn", "LRN", "pool")
    add("ip", "InnerProduct", "lrn", f"inner_product_param {{ num_output: 40 {FILL} }}")
    add("loss", "SoftmaxWithLoss", "ip label")
    return parse(text, "NetParameter")


def lenet():
    definition = load(published()["lenet"] / "train_test.prototxt", blobnet.TRAIN)
    return without_data(definition, {"data": (64, 1, 28, 28), "label": (64,)})


class Peaks:
    """The most memory that any layer took beyond what there was before it, forward or backward."""

    def __init__(self):
        self.most, self.layer, self._before = 0, "", 0

    def before_forward(self, node):
        tracemalloc.reset_peak()
        self._before = tracemalloc.get_traced_memory()[0]

    def after_forward(self, node):
        taken = tracemalloc.get_traced_memory()[1] - self._before
        if taken > self.most:
            self.most, self.layer = taken, node.layer.where

    before_backward, after_backward = before_forward, after_forward


@pytest.mark.parametrize("make", [lenet, residual])
def test_after_the_third_iteration_nothing_large_is_allocated(monkeypatch, make):
    monkeypatch.setenv("BLOBNET_NUM_THREADS", "1")
    net = blobnet.Net(make(), blobnet.TRAIN, random_seed=1)
    net.blobs["data"].data[...] = np.random.default_rng(1).normal(size=net.blobs["data"].shape)
    largest = max(blob.data.nbytes for blob in net.blobs.values())
    for _ in range(3):
        net.forward()
        net.backward()
    tracemalloc.start()
    try:
        net.forward()
        net.backward()
        before, peaks = tracemalloc.get_traced_memory()[0], Peaks()
        with net.watched_by(peaks):
            net.forward()
            net.backward()
        kept = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert kept < KEPT
    assert peaks.most < 1.5 * PIECE_BYTES < largest, peaks.layer
