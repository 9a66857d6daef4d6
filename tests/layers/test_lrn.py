"""The LRN layer: its options and checks, and OpenCV's opinion."""

from __future__ import annotations

import numpy as np
import pytest

from blobnet.core.context import TRAIN
from blobnet.core.net import Net
from blobnet.errors import NetError, ShapeError
from blobnet.proto.text import parse

SHAPE = (2, 6, 5, 4)


def text(options, shape=SHAPE):
    dims = " ".join(f"dim: {size}" for size in shape)
    return (f'layer {{ name: "x" type: "Input" top: "x" input_param {{ shape {{ {dims} }} }} }}\n'
            f'layer {{ name: "n" type: "LRN" bottom: "x" top: "y" lrn_param {{ {options} }} }}')


def forward(options, x, dtype="float64"):
    definition = parse("force_backward: true " + text(options, x.shape), "NetParameter")
    net = Net(definition, TRAIN, random_seed=1, dtype=dtype)
    net.forward(x=x)
    return net, net.blobs["y"].data.copy()


def test_one_value_by_hand():
    x = np.zeros((1, 3, 3, 3))
    x[0, :, 1, 1] = 1, 2, 3
    _, y = forward("local_size: 3 alpha: 0.6 beta: 0.5 k: 2", x)
    np.testing.assert_allclose(y[0, :, 1, 1], [1 / 3 ** 0.5, 2 / 4.8 ** 0.5, 3 / 4.6 ** 0.5], rtol=1e-6)
    x[0, 1, 0, 0] = 4
    _, y = forward("local_size: 3 alpha: 0.9 beta: 0.75 k: 7 norm_region: WITHIN_CHANNEL", x)
    np.testing.assert_allclose(y[0, 1, [1, 0], [1, 0]], [2 / 3 ** 0.75, 4 / 3 ** 0.75], rtol=1e-6)  # k is ignored


@pytest.mark.parametrize("options", ["", "local_size: 3 alpha: 0.5 beta: 1.1 k: 2",
                                     "norm_region: WITHIN_CHANNEL local_size: 3 alpha: 0.7"])
def test_gradient_is_the_derivative(options):
    rng = np.random.default_rng(0)
    x, direction, dy = (rng.standard_normal(SHAPE) for _ in range(3))
    net, _ = forward(options, x)
    net.blobs["y"].diff[...] = dy
    net.backward()
    slope = ((forward(options, x + 1e-5 * direction)[1] - forward(options, x - 1e-5 * direction)[1]) * dy).sum() / 2e-5
    np.testing.assert_allclose((net.blobs["x"].diff * direction).sum(), slope, rtol=1e-7)


def test_errors():
    with pytest.raises(NetError, match="'n'.*odd local_size, got 4"):
        forward("local_size: 4", np.zeros(SHAPE))
    with pytest.raises(ShapeError, match="'n'.*4 axes"):
        forward("", np.zeros((2, 3)))


@pytest.mark.parametrize("options", ["local_size: 5 alpha: 0.5 beta: 0.75", "local_size: 3 alpha: 2 beta: 0.6"])
def test_opencv_agrees(options, tmp_path):
    cv2 = pytest.importorskip("cv2")
    if not hasattr(cv2.dnn, "readNetFromCaffe"):
        pytest.skip("this OpenCV reads no Caffe files")
    x = np.random.default_rng(0).standard_normal(SHAPE, dtype=np.float32)
    (tmp_path / "net.prototxt").write_text(text(options))
    peer = cv2.dnn.readNetFromCaffe(str(tmp_path / "net.prototxt"))
    peer.setInput(x, "x")
    np.testing.assert_allclose(forward(options, x, "float32")[1], peer.forward(), rtol=1e-4, atol=1e-5)
