"""The example net on every layer type's page of the documentation runs."""

import sys
from pathlib import Path

import numpy as np
import pytest
from layer_cases import CASES

from blobnet.core.context import TRAIN
from blobnet.core.net import Net
from blobnet.core.registry import LAYERS
from blobnet.proto.text import parse

sys.path.append(str(Path(__file__).resolve().parent.parent.parent / "tools/docs"))
from pages.examples import example, rows, written  # noqa: E402

TYPES = sorted({case.type.__name__ for case in CASES.values()})


@pytest.mark.parametrize("name", TYPES)
def test_example_runs(name, data_folder):
    """Forward, and backward from the losses, with the values of the row in the Input layers."""
    case = rows()[name]
    definition = parse(written(example(LAYERS[name], str(data_folder))), "NetParameter", name)
    net = Net(definition, case.phase, random_seed=1, python_layers=True)
    layer = net.layers[-1]
    assert type(layer) is LAYERS[name]
    if name == "MemoryData":
        layer.reset(np.zeros((4, 1, 2, 3)), np.zeros(4))
    for blob, value in zip(net.inputs, case.values()):
        net.blobs[blob].data[...] = value
    net.forward()
    if case.phase == TRAIN and any(layer.differentiable(len(layer.param.bottom))):
        net.backward()
    assert all(blob.data.size for blob in net.blobs.values())
