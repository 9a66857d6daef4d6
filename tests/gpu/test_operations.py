"""What layers start on a GPU: the number of operations forward and backward, and that they wait for nothing."""

import fakecupy
import numpy as np
import pytest
from layer_rows import build

IMAGES = np.random.default_rng(0).normal(size=(2, 6, 9, 8))
LABELS = np.arange(2.0)
LAYERS = {  # type, options, bottoms, operations forward and backward, None: not counted
    "max": ("Pooling", "pooling_param { kernel_size: 3 stride: 2 pad: 1 }", [IMAGES], 1, 1),
    "largest of all": ("Pooling", "pooling_param { global_pooling: true }", [IMAGES], 1, 1),
    "average": ("Pooling", "pooling_param { pool: AVE kernel_size: 3 stride: 2 }", [IMAGES], 1, 1),
    "average of all": ("Pooling", "pooling_param { pool: AVE global_pooling: true }", [IMAGES], 1, 1),
    "max of three axes": ("Pooling", "pooling_param { kernel_size: 2 stride: 2 }", [IMAGES[None]], None, None),
    "drawn": ("Pooling", "pooling_param { pool: STOCHASTIC kernel_size: 2 stride: 2 }", [abs(IMAGES)], None, None),
    "LRN": ("LRN", "", [IMAGES], 1, 1),
    "LRN within": ("LRN", "lrn_param { local_size: 3 norm_region: WITHIN_CHANNEL }", [IMAGES], 1, 1),
    "ReLU": ("ReLU", "", [IMAGES], 1, 1),
    "leaky": ("ReLU", "relu_param { negative_slope: 0.1 }", [IMAGES], 1, 1),
    "PReLU": ("PReLU", "", [IMAGES], 1, 3),
    "sigmoid": ("Sigmoid", "", [IMAGES], 1, 1),
    "tanh": ("TanH", "", [IMAGES], 1, 1),
    "softmax": ("Softmax", "", [IMAGES], 1, 1),
    "dropout": ("Dropout", "", [IMAGES], 3, 1),  # the draws, the mask, the product
    "sum": ("Eltwise", "", [IMAGES, IMAGES], 1, 2),
    "sum of three": ("Eltwise", "", [IMAGES] * 3, 2, 3),
    "product": ("Eltwise", "eltwise_param { operation: PROD }", [IMAGES, IMAGES], 1, 2),
    "larger": ("Eltwise", "eltwise_param { operation: MAX }", [IMAGES, IMAGES], 3, 4),
    "largest of three": ("Eltwise", "eltwise_param { operation: MAX }", [IMAGES] * 3, 6, 6),
    "loss": ("SoftmaxWithLoss", "", [IMAGES[..., 0, 0], LABELS], 4, 1),
    "loss of some": ("SoftmaxWithLoss", "loss_param { ignore_label: 1 }", [IMAGES[..., 0, 0], LABELS], 4, 1),
}


def operations(call, *arguments):
    call(*arguments)  # what it makes once
    fakecupy.reset()
    call(*arguments)
    assert fakecupy.counts["waits"] == 0, fakecupy.sites
    return sum(fakecupy.counts[kind] for kind in ("kernels", "gemms", "DtoD", "memset"))


@pytest.mark.parametrize("kind, options, values, forward, backward", LAYERS.values(), ids=LAYERS)
def test_operations(kind, options, values, forward, backward, stand_in):
    alone = build(kind, values, options, device="gpu", dtype="float32")
    alone.prepare()
    layer, bottom, top = alone.layer, alone.bottom, alone.top
    with layer.context.in_use():
        assert operations(layer.forward, bottom, top) == forward or forward is None
        assert operations(layer.backward, top, alone.differentiable(), bottom) == backward or backward is None
