"""How many device operations a convolution takes: they, not their work, are what a small net waits for."""

import fakecupy
import numpy as np
import pytest

from blobnet.backend import device_module
from blobnet.ops.convolution import Convolution, bias_gradient

OPERATIONS = {  # channels, outputs, kernel, groups: operations forward (with bias), and backward with all gradients
    "plain": ((4, 6, 3, 1), 3, 6),        # columns, product, bias; bias, columns, turned gradient, 2 products, sum
    "pointwise": ((4, 6, 1, 1), 2, 5),    # product, bias; bias, turned images, turned gradient, 2 products
    "groups": ((4, 6, 3, 2), 3, 6),       # columns, product, turned result with bias; as plain
    "depthwise": ((4, 4, 3, 4), 1, 3),
}


@pytest.mark.parametrize("sizes, forward, backward", OPERATIONS.values(), ids=OPERATIONS)
def test_operations(sizes, forward, backward, stand_in):
    xp, (channels, outputs, side, groups) = device_module("gpu"), sizes
    plan = Convolution(xp, np.float32, (2, channels, 5, 6), outputs, (side, side), (1, 1), (0, 0), (1, 1), groups)
    x, weight = xp.ones((2, channels, 5, 6), "f"), xp.ones((outputs, channels // groups, side, side), "f")
    y, bias = xp.ones((2, outputs, *plan.out_shape), "f"), xp.ones(outputs, "f")
    dx, dweight = x.copy(), weight.copy()
    fakecupy.reset()
    plan.forward(x, weight, bias, y)
    assert operations() == forward
    bias_gradient(y, bias)
    plan.backward(x, y, weight, dweight, dx)
    assert operations() == forward + backward
    assert not fakecupy.counts["waits"]


def operations():
    return sum(fakecupy.counts[kind] for kind in ("kernels", "gemms", "DtoD", "memset"))
