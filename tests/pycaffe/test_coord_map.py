"""Coordinates of one blob in another: against nets that are run, and against the rules of maps."""

import numpy as np
import pytest

from blobnet.core.net import Net
from blobnet.pycaffe.coord_map import (
    AxisMismatchException,
    UndefinedMapException,
    compose,
    coord_map,
    coord_map_from_to,
    crop,
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
