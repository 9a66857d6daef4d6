"""What is raised while layers run that is not of ours."""

import numpy as np
import pytest

from blobnet.core.layer import Layer
from blobnet.core.net import Net
from blobnet.core.registry import LAYERS
from blobnet.errors import DataError, NetError, ShapeError

NET = """
layer { name: "x" type: "Input" top: "x" input_param { shape { dim: 2 } } }
layer { name: "t" type: "Trouble" bottom: "x" top: "y" loss_weight: 1 }
force_backward: true
"""
WHEN = ("setup", "reshape", "forward", "backward")
RAISED = [
    (MemoryError("Unable to allocate 8. GiB"), ShapeError, r"no memory \(Unable to allocate 8. GiB\); smaller batches"),
    (MemoryError(), ShapeError, "no memory; smaller"),
    (ValueError("Maximum allowed dimension exceeded"), ShapeError, "no memory .Maximum"),
    (ValueError("array is too big; `arr.size * arr.dtype.itemsize` is larger"), ShapeError, "no memory .array"),
    (ZeroDivisionError("division by zero"), NetError, r"options and shapes \(ZeroDivisionError: division by zero\)"),
    (OverflowError("int too large"), NetError, "OverflowError: int too large"),
    (RecursionError("deep"), NetError, "RecursionError: deep"),
    (DataError("list.txt:3", "no"), DataError, "list.txt:3: no"),
]


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Runs a net whose layer raises `error` in one method of its life."""
    (tmp_path / "net.prototxt").write_text(NET)

    def life(error, when):
        class Trouble(Layer):
            def reshape(self, bottom, top):
                self.at("reshape")
                top[0].reshape(bottom[0].shape)

            def at(self, now):
                if now == when:
                    raise error

            def setup(self, bottom, top):
                self.at("setup")

            def forward(self, bottom, top):
                self.at("forward")

            def backward(self, top, propagate_down, bottom):
                self.at("backward")

        monkeypatch.setitem(LAYERS, "Trouble", Trouble)
        net = Net(tmp_path / "net.prototxt")
        net.forward()
        net.backward()

    return life


@pytest.mark.parametrize("when", WHEN)
@pytest.mark.parametrize("raised, kind, says", RAISED)
def test_errors_name_the_layer_and_its_line(run, raised, kind, says, when):
    with pytest.raises(kind, match=rf"net.prototxt:3:\d+: .*{says}") as caught:
        run(type(raised)(*raised.args) if not isinstance(raised, DataError) else DataError("list.txt:3", "no"), when)
    if kind is not DataError:
        assert "layer 't' (Trouble)" in str(caught.value) and type(caught.value.__cause__) is type(raised)


@pytest.mark.parametrize("when", WHEN)
@pytest.mark.parametrize("fault", [ValueError("operands could not be broadcast"), AttributeError("x"), KeyError("k")])
def test_faults_of_a_program_are_not_hidden(run, fault, when):
    with pytest.raises(type(fault)) as caught:
        run(fault, when)
    assert caught.value is fault


def test_a_reshape_to_more_than_there_is(tmp_path):
    (tmp_path / "net.prototxt").write_text(NET.replace("Trouble", "MVN").replace("dim: 2", "dim: 1 dim: 2 dim: 3"))
    net = Net(tmp_path / "net.prototxt")
    net.blobs["x"].reshape(1, 1 << 20, 1 << 40)
    with pytest.raises(ShapeError, match=r"net.prototxt:3:\d+: .*no memory"):
        net.reshape()
    net.forward(x=np.zeros((1, 2, 3)))
