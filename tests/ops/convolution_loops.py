"""Convolution as loops written from its definition, and the check that Convolution and its gradients agree."""

from __future__ import annotations

import numpy as np

from blobnet.ops.convolution import Convolution


def slow_convolution(x, weight, bias, stride, pad, dilation, groups):
    """One output position after the other, from a padded copy of x."""
    padded = np.pad(x, [(0, 0), (0, 0), *((p, p) for p in pad)])
    span = [d * (k - 1) + 1 for d, k in zip(dilation, weight.shape[2:])]
    out_shape = [(size - s) // step + 1 for size, s, step in zip(padded.shape[2:], span, stride)]
    y = np.empty((len(x), len(weight), *out_shape))
    inputs, outputs = (np.split(np.arange(count), groups) for count in (x.shape[1], len(weight)))
    summed = [range(1, x.ndim)] * 2
    for place in np.ndindex(*out_shape):
        window = tuple(slice(p * step, p * step + s, d) for p, step, s, d in zip(place, stride, span, dilation))
        patch = padded[(slice(None), slice(None), *window)]
        for i, o in zip(inputs, outputs):
            y[(slice(None), o, *place)] = np.tensordot(patch[:, i], weight[o], summed) + bias[o]
    return y


def check(shape, outputs, kernel, stride, pad, dilation, groups=1, seed=0, xp=np):
    """Forward equals the loops; the gradients are the transposes of the (bilinear) forward."""
    rng = np.random.default_rng(seed)
    x, bias = rng.standard_normal(shape), rng.standard_normal(outputs)
    weight = rng.standard_normal((outputs, shape[1] // groups, *kernel))
    geometry = stride, pad, dilation, groups
    convolution = Convolution(xp, np.float64, shape, outputs, kernel, *geometry)
    y = np.full((shape[0], outputs, *convolution.out_shape), np.nan)
    convolution.forward(x, weight, bias, y)
    np.testing.assert_allclose(y, slow_convolution(x, weight, bias, *geometry), atol=1e-10)

    dy, x2, weight2 = (rng.standard_normal(a.shape) for a in (y, x, weight))
    zero = np.zeros(outputs)
    dweight, dx = np.ones_like(weight), np.full_like(x, np.nan)
    for _ in range(2):  # the second time in used buffers; weights accumulate, data does not
        convolution.backward_weight(x, dy, dweight)
        convolution.backward_data(dy, weight, dx)
    along_weight = (slow_convolution(x, weight2, zero, *geometry) * dy).sum()
    np.testing.assert_allclose(((dweight - 1) * weight2).sum(), 2 * along_weight)
    np.testing.assert_allclose((dx * x2).sum(), (slow_convolution(x2, weight, zero, *geometry) * dy).sum())

    both = np.ones_like(weight), np.full_like(x, np.nan)
    convolution.backward(x, dy, weight, *both)
    np.testing.assert_allclose(both[0], (dweight + 1) / 2, atol=1e-10)
    np.testing.assert_allclose(both[1], dx, atol=1e-10)

    data_bias = rng.standard_normal(shape[1])
    with_bias = np.full_like(x, np.nan)
    convolution.backward_data(dy, weight, with_bias, data_bias)
    np.testing.assert_allclose(with_bias, dx + data_bias.reshape(-1, *[1] * len(kernel)), atol=1e-10)
