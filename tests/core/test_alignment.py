"""Where a blob has to be cropped, found in the layers that made it."""

import numpy as np
import pytest

from blobnet.core.net import Net
from blobnet.errors import NetError
from blobnet.proto.text import parse

FIELDS = {"Convolution": "convolution_param", "Deconvolution": "convolution_param", "Pooling": "pooling_param",
          "InnerProduct": "inner_product_param"}


def net(*lines):
    """A net over a blob x of 16 x 16 places; its layers as "type bottoms -> top options"."""
    text = 'input: "x" input_shape { dim: [1, 1, 16, 16] }'
    for i, line in enumerate(lines):
        (kind, *bottoms), (top, *options) = (side.split() for side in line.split(" -> "))
        options += ["num_output: 1"] * (kind in FIELDS and kind != "Pooling")
        bottoms = " ".join(f'bottom: "{name}"' for name in bottoms)
        field = f"{FIELDS[kind]} {{ {' '.join(options)} }}" if kind in FIELDS else ""
        text += f' layer {{ name: "l{i}" type: "{kind}" {bottoms} top: "{top}" {field} }}'
    return Net(parse(text, "NetParameter"))


@pytest.mark.parametrize(("layers", "offset"), [
    (["Pooling x -> a kernel_size: 2 stride: 2", "Deconvolution a -> y kernel_size: 4 stride: 2"], [1, 1]),
    (["Pooling x -> a kernel_size: 2 stride: 2", "ReLU a -> a", "Pooling a -> b kernel_size: 2 stride: 2",
      "Deconvolution b -> y kernel_size: 8 stride: 4"], [2, 2]),
    (["Convolution x -> y kernel_size: 3 dilation: 2 pad: 6"], [4, 4]),
    (["Convolution x -> y kernel_h: 3 kernel_w: 1 pad_h: 3 pad_w: 1"], [2, 1]),
    (["Convolution x -> a kernel_size: 1 pad: 3", "AutoCrop a x -> b", "Convolution b -> y kernel_size: 1 pad: 2"],
     [2, 2]),
    (["Power x -> y"], [0, 0]),
])
def test_offsets(layers, offset):
    built = net(*layers, "AutoCrop y x -> z")
    layer = built.layers[-1]
    assert list(layer.param.crop_param.offset) == offset
    for blob in built.blobs.values():
        blob.data[...] = np.random.default_rng(3).normal(size=blob.shape)
    built.forward()
    h, w = offset
    np.testing.assert_array_equal(built.blobs["z"].data, built.blobs["y"].data[:, :, h:h + 16, w:w + 16])


def test_the_second_bottom_may_be_moved_too():
    built = net("Convolution x -> a kernel_size: 1 pad: 5", "Convolution x -> b kernel_size: 3", "AutoCrop a b -> z")
    assert list(built.layers[-1].param.crop_param.offset) == [6, 6]
    assert built.blobs["z"].shape == (1, 1, 14, 14)


@pytest.mark.parametrize(("layer", "words"), [
    ("Pooling x -> y kernel_size: 2 stride: 2", "bottoms of the same scale, got 2 and 2"),
    ("Convolution x -> y kernel_size: 3", "a first bottom that begins before the second one, got 1 and 1"),
    ("Convolution x -> y kernel_size: 2 pad: 3", "an offset of whole places, got 2.5 and 2.5"),
    ("InnerProduct x -> y", r"follow places of the bottom, got 'l0' \(InnerProduct\) on the way to 'y'"),
    ("Input -> y", "come from one blob, through first bottoms, got 'y' from 'y', 'x' from 'x'"),
])
def test_what_cannot_be_aligned(layer, words):
    with pytest.raises(NetError, match=rf"^layer 'l1' \(AutoCrop\): expected .*{words}"):
        net(layer, "AutoCrop y x -> z")
