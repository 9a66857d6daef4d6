"""Parameters whose blobs somebody reshaped after the net was built."""

import numpy as np
import pytest

from blobnet.core.net import Net
from blobnet.errors import ShapeError
from blobnet.proto.text import parse

X = 'layer { name: "in" type: "Input" top: "x" input_param { shape { dim: 2 dim: 3 dim: 4 dim: 4 } } }'
RESHAPED = {
    "InnerProduct": ("inner_product_param { num_output: 4 weight_filler { type: 'xavier' } }",
                     [(1, 1, 4, 48), (1, 1, 1, 4)]),
    "InnerProduct transposed": ("inner_product_param { num_output: 4 transpose: true }", [(192,), (2, 2)]),
    "Convolution": ("convolution_param { num_output: 4 kernel_size: 3 weight_filler { type: 'xavier' } }",
                    [(4, 27), (1, 1, 1, 4)]),
    "Deconvolution": ("convolution_param { num_output: 4 kernel_size: 3 weight_filler { type: 'xavier' } }",
                      [(108,), (4, 1)]),
    "Embed": ("embed_param { num_output: 4 input_dim: 9 weight_filler { type: 'xavier' } }", [(1, 1, 9, 4), (1, 4)]),
    "PReLU": ("", [(1, 1, 1, 3)]),
    "BatchNorm": ("", [(1, 3, 1, 1), (1, 1, 1, 3), (1, 1)]),
    "LSTM": ("recurrent_param { num_output: 2 weight_filler { type: 'xavier' } }", [(8, 16, 1), (2, 4), (1, 1, 8, 2)]),
}


def build(text):
    return Net(parse(text, "NetParameter"), random_seed=2)


@pytest.mark.parametrize("layer, options, shapes", [(kind.split()[0], *row) for kind, row in RESHAPED.items()])
def test_parameters_that_somebody_reshaped(layer, options, shapes):
    """Their memory is flat, as in Caffe: only the count matters, and what is too much is left alone."""
    cont = 'bottom: "cont"' if layer == "LSTM" else ""
    text = ('force_backward: true layer { name: "c" type: "Input" top: "cont" input_param { '
            'shape { dim: 2 dim: 3 } } }' + X
            + f'layer {{ name: "l" type: "{layer}" bottom: "x" {cont} top: "y" loss_weight: 1 {options} }}')
    results = []
    for grown in (None, False, True):
        net = build(text)
        values = np.random.default_rng(1).random((2, 3, 4, 4))
        for blob, shape in zip(net.params["l"], shapes if grown is not None else ()):
            old = blob.data.copy().reshape(-1)
            blob.reshape((*shape[:-1], 2 * shape[-1]) if grown else shape)
            blob.data.reshape(-1)[:old.size] = old
        net.forward(x=np.round(values * 8) if layer == "Embed" else values)
        net.clear_param_diffs()
        net.backward()
        arrays = [(blob.data.ravel(), blob.diff.ravel()) for blob in net.params["l"]]
        sizes = [data.size // (1 + bool(grown)) for data, _ in arrays]
        results.append([net.blobs["y"].data.ravel(), net.blobs["x"].diff.ravel(),
                        *(array[:size] for pair, size in zip(arrays, sizes) for array in pair)])
    for other in results[1:]:
        for one, two in zip(results[0], other, strict=True):
            np.testing.assert_allclose(one, two, rtol=1e-5, atol=1e-6)  # sums may run in another order elsewhere


def test_a_parameter_that_somebody_made_too_small():
    net = build(X + 'layer { name: "l" type: "InnerProduct" bottom: "x" top: "y" inner_product_param { '
                'num_output: 4 } }')
    net.params["l"][0].reshape(4, 40)
    with pytest.raises(ShapeError, match=r"layer 'l' .InnerProduct.: parameter 0 was reshaped, expected at least 192 "
                       r"numbers, as in \(4, 48\), got 160 in \(4, 40\)"):
        net.forward()
