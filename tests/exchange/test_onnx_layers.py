"""Every row of the tables of layers: what ONNX Runtime computes is what blobnet computes."""

import warnings

import numpy as np
import pytest
from layer_cases import CASES
from onnx_nets import CLOSE, difference, net_of_layer

from blobnet.core.layer import Layer
from blobnet.core.loss_layer import LossLayer
from blobnet.core.registry import LAYERS
from blobnet.errors import NetError
from blobnet.exchange.onnx import export
from blobnet.exchange.onnx.registry import EXPORTERS, LEFT_OUT, why_left_out

REFUSED = {  # rows of what cannot be said, and words of the reason
    "Dropout sampled": "it draws at random", "DummyData": "it draws at random",
    "DetectionOutput eta": "eta below 1 changes the threshold",
    **{name: "nothing says what its class '.*' is in ONNX; a method of the class can"
       for name, case in CASES.items() if case.type.__name__ == "Python"},
}
NOT_ALONE = {"AutoCrop", "AutoCrop of one size", "Split", "Silence", "Reduction loss"}  # nets of test_onnx_export.py


def is_left_out(cls):
    return issubclass(cls, LossLayer) or cls.__name__ in LEFT_OUT


def is_input(cls):
    """Whether layers of a type become Input layers where there is no data."""
    return cls.__module__.startswith("blobnet.layers.data.") and cls.__name__ not in {*EXPORTERS, *LEFT_OUT}


why_left_out(Layer)  # lets all functions register themselves
ROWS = {name: case for name, case in CASES.items()
        if name not in {*NOT_ALONE, *REFUSED} and not is_left_out(case.type) and not is_input(case.type)}


@pytest.mark.parametrize("name", ROWS)
def test_a_layer_is_what_it_was(name):
    case = ROWS[name]
    net, inputs = net_of_layer(case.source, case.values(), python_layers=case.python_layers)
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        assert difference(net, inputs=inputs) < CLOSE


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_said(name):
    case = CASES[name]
    net, _ = net_of_layer(case.source, case.values(), python_layers=case.python_layers)
    with pytest.raises(NetError, match=REFUSED[name]):
        export(net)


def test_every_type_is_exported_or_left_out():
    for name in [*LAYERS]:
        cls = LAYERS[name]
        found = [name in EXPORTERS or cls.is_split, is_left_out(cls), is_input(cls)]
        if cls.__module__.startswith("blobnet."):
            assert found.count(True) == 1, f"{name}: {found}"
