"""Layers for films against figures."""

import numpy as np
from layer_rows import build


def test_pooling3d_gives_every_equal_maximum_the_gradient():
    film = [[[[[1, 2], [0, 1]], [[2, 0], [0, 0]]]]]
    alone = build("Pooling3D", [film], "pooling3d_param { kernel_size: 2 kernel_depth: 2 }")
    assert alone.forward()[0].tolist() == [[[[[2]]]]]
    assert alone.backward([[[[[[3]]]]]], [True])[0].tolist() == [[[[[0, 3], [0, 0]], [[3, 0], [0, 0]]]]]


def test_pooling3d_keeps_windows_beyond_the_bottom():
    options = "kernel_size: 1 kernel_depth: 1 stride: 3"
    alone = build("Pooling3D", [np.ones((1, 1, 1, 3, 2))], f"pooling3d_param {{ {options} pool: AVE }}")
    np.testing.assert_array_equal(alone.forward()[0], [[[[[1, 0], [np.nan, np.nan]]]]])
    alone = build("Pooling3D", [np.ones((1, 1, 1, 3, 2))], f"pooling3d_param {{ {options} }}")
    np.testing.assert_array_equal(alone.forward()[0] == np.finfo(np.float32).min, [[[[[False, True], [True, True]]]]])


def test_convolution3d_of_the_last_backward_counts():
    options = "num_output: 1 kernel_size: 1 kernel_depth: 2 weight_filler { type: 'constant' value: 1 }"
    alone = build("Convolution3D", [np.arange(3.0).reshape(1, 1, 3, 1, 1)], f"convolution3d_param {{ {options} }}")
    assert alone.forward()[0].ravel().tolist() == [1, 3]
    for _ in range(2):
        dx = alone.backward([np.array([1.0, 10]).reshape(1, 1, 2, 1, 1)], [True])[0]
    assert dx.ravel().tolist() == [1, 11, 10]
    assert [blob.diff.ravel().tolist() for blob in alone.layer.blobs] == [[10, 21], [11]]
