"""Windows as options write them: in words, and as maps of coordinates."""

import pytest

from blobnet.netdef.windows import places_above, places_under, window, window_line
from blobnet.proto.messages import new


@pytest.mark.parametrize("options, under, above", [
    ({"kernel_size": [3]}, (1, [1], [-1]), (1, [1], [1])),
    ({"kernel_size": [3], "pad": [1], "stride": [2]}, (1, [0.5], [0]), (1, [2], [0])),
    ({"kernel_size": [3, 1], "dilation": [2], "axis": 2}, (2, [1], [-2, 0]), (2, [1], [2, 0])),
    ({"kernel_h": 3, "kernel_w": 5, "pad_w": 1, "stride": [2]}, (1, [0.5], [-0.5, -0.5]), (1, [2], [1, 1])),
    ({"kernel_h": 3, "kernel_w": 1, "stride_h": 1, "stride_w": 2}, (1, [1, 0.5], [-1, 0]), (1, [1, 2], [1, 0])),
    ({}, None, None)])
def test_maps_of_windows(options, under, above):
    message = new("ConvolutionParameter", **options)
    for found, expected in ((places_under(message), under), (places_above(message), above)):
        assert (found and (found[0], *(values.tolist() for values in found[1:]))) == expected


@pytest.mark.parametrize("message, options, words, line", [
    ("ConvolutionParameter", {"kernel_size": [3, 3]}, ("3", "1", "0"), "kernel 3, stride 1, pad 0"),
    ("ConvolutionParameter", {"kernel_h": 1, "kernel_w": 7, "pad_w": 3}, ("1x7", "1", "0x3"),
     "kernel 1x7, stride 1, pad 0x3"),
    ("PoolingParameter", {"global_pooling": True}, ("global", "1", "0"), "kernel global, stride 1, pad 0"),
    ("PoolingParameter", {"stride": 2}, ("0", "2", "0"), "kernel 0, stride 2, pad 0")])
def test_words_of_windows(message, options, words, line):
    options = new(message, **options)
    assert tuple(window(options).values()) == words and window_line(options) == line
