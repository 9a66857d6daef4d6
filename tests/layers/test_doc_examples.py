"""The example net on every layer type's page of the documentation runs."""

import sys
from pathlib import Path

import numpy as np
import pytest
from layer_cases import CASES

from blobnet.core.net import Net
from blobnet.core.registry import LAYERS
from blobnet.explain.batch import Question, small_net
from blobnet.explain.stage import Stage
from blobnet.proto.text import parse

sys.path.append(str(Path(__file__).resolve().parent.parent.parent / "tools/docs"))
from pages.examples import OWN_VALUES, example, rows, written  # noqa: E402

TYPES = sorted({case.type.__name__ for case in CASES.values()})


def definition(name, data_folder):
    return parse(written(example(LAYERS[name], str(data_folder))), "NetParameter", name)


@pytest.mark.parametrize("name", TYPES)
def test_example_runs(name, data_folder):
    """As `blobnet explain` runs it, on made-up numbers; or with those of the row."""
    if name in OWN_VALUES:
        case = rows()[name]
        net = Net(definition(name, data_folder), case.phase, random_seed=1, python_layers=True)
        for blob, value in zip(net.inputs, case.values()):
            net.blobs[blob].data[...] = value
        net.forward()
        if any(net.layers[-1].differentiable(len(net.layers[-1].param.bottom))):
            net.backward()
    else:
        net = small_net(Question(definition(name, data_folder))).net
        Stage(net).run()
    assert type(net.layers[-1]) is LAYERS[name] or not definition(name, data_folder).layer[-1].bottom
    assert all(blob.data.size and np.isfinite(blob.data).all() for blob in net.blobs.values())
