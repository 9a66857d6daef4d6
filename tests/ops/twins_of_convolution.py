"""Rows of the twins in ops/cuda/convolution.py and im2col.py."""

import math
from unittest.mock import patch

import numpy as np
from twin_rows import call

from blobnet.ops.axes import output_size
from blobnet.ops.cuda import convolution as cuda

SLIDING = {  # shape, kernel, stride, pad, dilation
    "plain": ((2, 4, 7, 6), (3, 2), (1, 1), (0, 0), (1, 1)),
    "padded": ((3, 2, 5, 8), (3, 5), (1, 1), (1, 3), (1, 1)),
    "strided": ((2, 3, 9, 10), (2, 3), (3, 2), (1, 2), (1, 1)),
    "dilated": ((2, 2, 9, 7), (2, 3), (1, 1), (2, 1), (3, 2)),
    "stride and dilation share a factor": ((1, 3, 11, 9), (3, 2), (4, 2), (3, 1), (2, 4)),
    "stride beyond the kernel": ((2, 3, 8, 11), (2, 1), (4, 3), (0, 0), (1, 1)),
    "pad beyond the kernel": ((1, 2, 3, 4), (2, 2), (1, 3), (3, 4), (1, 1)),
    "a last kernel beyond the end": ((2, 2, 1, 1), (2, 3), (3, 3), (0, 0), (1, 1)),
    "pointwise": ((3, 4, 3, 5), (1, 1), (1, 1), (0, 0), (1, 1)),
    "pointwise, padded": ((2, 3, 3, 2), (1, 1), (1, 1), (0, 1), (1, 1)),
    "pointwise, strided": ((2, 3, 5, 7), (1, 1), (2, 3), (0, 0), (1, 1)),
    "whole plane": ((3, 2, 4, 3), (4, 3), (1, 1), (0, 0), (1, 1)),
    "no images": ((0, 2, 4, 3), (2, 2), (1, 1), (0, 0), (1, 1)),
    "no pixels": ((2, 2, 0, 3), (1, 2), (1, 1), (1, 0), (1, 1)),
    "one axis": ((2, 3, 9), (2,), (2,), (1,), (2,)),
    "three axes": ((2, 2, 3, 4, 5), (2, 1, 3), (1, 2, 1), (0, 1, 1), (1, 1, 1)),
}
GROUPS = {"one": (3, 5, 1), "two": (2, 3, 2), "one channel each": (1, 2, 3),  # channels and outputs of each, and groups
          "depthwise": (1, 1, 4)}


def passes(case, channels, outputs, groups):
    """A row of all that a plan computes, with and without a bias, for images in one piece and in several."""
    (num, _, *spatial), *sliding = case

    def row(kernel, xp, rng, dtype):
        def random(*shape):
            return xp.asarray(rng.normal(size=shape).astype(dtype))

        found, plan = [], None
        for limit in cuda.COLUMNS_BYTES, 2 * one_image:
            with patch.object(cuda, "COLUMNS_BYTES", limit):
                plan = kernel(xp, dtype, shape, groups * outputs, *sliding, groups)
            x, weight = random(*shape), random(groups * outputs, channels, *sliding[0])
            y, dy = (random(num, groups * outputs, *plan.out_shape) for _ in range(2))
            outs = random(*y.shape), random(*x.shape), random(*x.shape), random(*x.shape)
            dweights = random(*weight.shape), random(*weight.shape)
            plan.forward(x, weight, random(groups * outputs), y)
            plan.forward(x, weight, None, outs[0])
            plan.backward(x, dy, weight, dweights[0], outs[1])
            plan.backward_weight(x, dy, dweights[1])
            plan.backward_data(dy, weight, outs[2], random(groups * channels))
            plan.backward(x, dy, weight, None, outs[3])
            found += [y, *outs, *dweights]
        return found

    shape = num, groups * channels, *spatial
    places = map(output_size, spatial, *sliding)
    one_image = 4 * groups * channels * math.prod(sliding[0]) * math.prod(places)
    return row


def apart(kernel, xp, rng, dtype):
    """Images and gradients that lie among others."""
    plan = kernel(xp, dtype, (2, 3, 5, 4), 2, (3, 2), (1, 1), (1, 0), (1, 1))
    x, dx = (xp.asarray(rng.normal(size=(2, 6, 5, 4)).astype(dtype)) for _ in range(2))
    y, dy = (xp.asarray(rng.normal(size=(2, 4, 5, 3)).astype(dtype)) for _ in range(2))
    weight, dweight = (xp.asarray(rng.normal(size=(2, 3, 3, 2)).astype(dtype)) for _ in range(2))
    plan.forward(x[:, ::2], weight, None, y[:, :2])
    plan.backward(x[:, ::2], dy[:, 2:], weight, dweight, dx[:, 1:4])
    return [y, dweight, dx]


def columns_of(shape, *sliding):
    return (*shape[:1], shape[1] * math.prod(sliding[0]), *map(output_size, shape[2:], *sliding))


ROWS = {
    "Convolution": [passes(case, *group) for case in SLIDING.values() for group in GROUPS.values()] + [apart],
    "im2col": [call(lambda rng, case=case: (rng.normal(size=case[0]), *case[1:], np.full(columns_of(*case), np.nan)))
               for case in SLIDING.values()],
    "col2im": [call(lambda rng, case=case: (rng.normal(size=columns_of(*case)), *case[1:], np.full(case[0], np.nan)))
               for case in SLIDING.values()],
}
