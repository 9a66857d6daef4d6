"""Coordinates of one blob in another: against nets that are run, and against the rules of maps."""

import numpy as np
import pytest

from blobnet.core.layer import Layer
from blobnet.core.net import Net
from blobnet.core.registry import LAYERS
from blobnet.pycaffe import coord_map as module
from blobnet.pycaffe.coord_map import (
    AxisMismatchException,
    UndefinedMapException,
    compose,
    conv_params,
    coord_map,
    coord_map_from_to,
    crop,
    crop_params,
    inverse,
)
from blobnet.pycaffe.net_spec import NetSpec
from blobnet.pycaffe.net_spec import layers as L

CONSTANT = dict(type="constant", value=1)


def chain(size, pad, pool, up):
    """A fully convolutional net that comes back to the scale of its input."""
    n = NetSpec()
    n.data = L.Input(shape=dict(dim=[1, 1, 41, 43]))
    n.conv = L.Convolution(n.data, num_output=1, kernel_size=size, pad=pad, weight_filler=CONSTANT)
    n.relu = L.ReLU(n.conv, in_place=True)
    n.pool = L.Pooling(n.relu, kernel_size=pool, stride=pool, pool=1)
    n.up = L.Deconvolution(n.pool, num_output=1, kernel_size=2 * up, stride=up, weight_filler=CONSTANT)
    return n


@pytest.mark.parametrize("size, pad, pool", [(3, 10, 2), (5, 12, 2), (3, 20, 4), (1, 8, 2)])
def test_a_crop_brings_a_spot_back_to_its_place(size, pad, pool):
    n = chain(size, pad, pool, pool)
    n.score = crop(n.up, n.data)
    net = Net(n.to_proto())
    assert net.blobs["score"].shape == net.blobs["data"].shape
    image = np.zeros((1, 1, 41, 43))
    image[0, 0, 20:20 + pool, 20:20 + pool] = 1
    heat = net.forward(data=image)["score"][0, 0]
    y, x = np.indices(heat.shape)
    centre = 20 + (pool - 1) / 2
    assert abs((heat * y).sum() / heat.sum() - centre) <= pool / 2
    assert abs((heat * x).sum() / heat.sum() - centre) <= pool / 2


@pytest.mark.parametrize("make, error", [
    (lambda n: crop(n.up, n.data), AssertionError),                                 # scales differ
    (lambda n: coord_map_from_to(L.InnerProduct(n.up), n.data), RuntimeError),      # no places any more
    (lambda n: coord_map_from_to(n.up, L.Input(shape=dict(dim=1))), RuntimeError),  # not connected
    (lambda n: coord_map(L.Softmax(n.up).fn), UndefinedMapException),
    (lambda n: coord_map(L.Convolution(n.data, kernel_h=3, kernel_w=2).fn), AssertionError),
    (lambda n: compose((1, 1, 0), (2, 1, 0)), AxisMismatchException),
])
def test_what_has_no_map(make, error):
    with pytest.raises(error):
        make(chain(3, 0, 3, 2))


def test_an_inverse_undoes_a_map():
    there = 1, np.array([2.0, 0.5]), np.array([3.0, -1.0])
    axis, scale, shift = compose(inverse(there), there)
    assert axis == 1 and np.allclose(scale, 1) and np.allclose(shift, 0)


def test_dilation_and_crop():
    n = chain(3, 0, 2, 2)
    _, _, plain = coord_map(L.Convolution(n.data, kernel_size=5).fn)
    _, _, dilated = coord_map(L.Convolution(n.data, kernel_size=3, dilation=2).fn)
    assert plain == dilated == -2
    _, _, shift = coord_map_from_to(L.Crop(n.data, n.up, offset=4), n.data)
    assert shift == 4


def test_the_layers_that_coordinates_pass_through():
    ours = {"AbsVal", "BatchNorm", "Bias", "BNLL", "Dropout", "Eltwise", "ELU", "Log", "LRN", "Exp", "MVN", "Power",
            "ReLU", "PReLU", "Scale", "Sigmoid", "Split", "TanH", "Threshold"}  # of Caffe 1.0
    assert ours < set(module.PASS_THROUGH_LAYERS) and "Pooling" not in module.PASS_THROUGH_LAYERS
    with pytest.raises(AttributeError, match="PASS_THROUGH"):
        module.PASS_THROUGH  # noqa: B018


def test_a_type_of_a_user_has_the_map_that_it_declares(monkeypatch):
    n = chain(3, 0, 2, 2)
    with pytest.raises(UndefinedMapException, match="'Shifted': has no map"):
        coord_map(L.Shifted(n.conv).fn)
    shifted = type("Shifted", (Layer,), {"coordinates": classmethod(lambda cls, layer: (1, 1, len(layer.name)))})
    monkeypatch.setitem(LAYERS, "Shifted", shifted)
    monkeypatch.setitem(LAYERS, "Same", type("Same", (Layer,), {"keeps_coordinates": True}))
    assert coord_map(L.Shifted(n.conv, name="four").fn) == (1, 1, 4)
    assert coord_map(L.Same(n.conv).fn) == (None, 1, 0) and "Same" in module.PASS_THROUGH_LAYERS
    assert coord_map_from_to(L.Same(n.conv), n.data)[2] == coord_map_from_to(n.conv, n.data)[2]


def test_a_bottom_of_which_only_the_sizes_count_leads_nowhere():
    n = chain(3, 0, 2, 2)
    with pytest.raises(RuntimeError, match="no common origin"):
        coord_map_from_to(L.Crop(L.Input(shape=dict(dim=[1, 1, 9, 9])), n.conv), n.conv)


@pytest.mark.parametrize("fn, params", [
    ("Convolution", dict(kernel_size=[3, 5], stride=2, pad=[1, 2], dilation=[1, 3], num_output=1)),
    ("Convolution", dict(convolution_param=dict(kernel_size=3, axis=2, num_output=1))),
    ("Pooling", dict(kernel_size=3, stride=2, pad=1)), ("Im2col", dict(kernel_size=2, stride=3)),
])
def test_maps_are_those_of_the_windows(fn, params):
    """As Long et al. have them, from the numbers that `conv_params` reads."""
    made = getattr(L, fn)(chain(3, 0, 2, 2).data, **params).fn
    axis, stride, size, pad = conv_params(made)
    found = coord_map(made)
    assert found[0] == axis
    np.testing.assert_array_equal(found[1], 1 / stride)
    np.testing.assert_array_equal(found[2], (pad - (size - 1) / 2) / stride)


def test_the_map_of_a_deconvolution_and_of_a_crop():
    data = chain(3, 0, 2, 2).data
    made = L.Deconvolution(data, kernel_size=[4, 3], stride=[2, 3], pad=1, num_output=1).fn
    axis, stride, size, pad = conv_params(made)
    np.testing.assert_array_equal(coord_map(made)[1], stride)
    np.testing.assert_array_equal(coord_map(made)[2], (size - 1) / 2 - pad)
    made = L.Crop(data, data, axis=1, offset=[2, 0, 1]).fn
    assert coord_map(made)[:2] == (crop_params(made)[0] - 1, 1) == (0, 1)
    np.testing.assert_array_equal(coord_map(made)[2], -crop_params(made)[1])
