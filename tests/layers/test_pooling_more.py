"""Stochastic pooling, pooling of other than two spatial axes, and spatial pyramids, against naive loops."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from layer_rows import build

from blobnet.core.context import TEST, TRAIN
from blobnet.errors import NetError, ShapeError
from blobnet.layers.pooling._base import window_axes
from blobnet.ops.max_pool import MaxPool
from blobnet.ops.tiles import TileMax, are_tiles


def pooling(x, options, **more):
    return build("Pooling", [x], f"pooling_param {{ {options} }}", **more)


def spp(x, options, **more):
    return build("SPP", [x], f"spp_param {{ {options} }}", **more)


def windows(size, kernel, stride, pad, floor=False):
    """(first, one past the last, divisor) of each window along an axis, as a reader of the page would list them."""
    found, start = [], -pad
    while True:
        found.append((max(start, 0), min(start + kernel, size), min(start + kernel, size + pad) - start))
        start += stride
        ended = start - stride + kernel >= size + pad
        if ended or pad and start >= size or floor and start + kernel > size + pad:
            return found


def naive(x, method, kernel, stride, pad, floor=False):
    axes = [windows(size, kernel, stride, pad, floor) for size in x.shape[2:]]
    y = np.empty((*x.shape[:2], *map(len, axes)))
    for place in product(*(range(len(axis)) for axis in axes)):
        chosen = [axis[i] for axis, i in zip(axes, place)]
        inside = x[(..., *(slice(a, b) for a, b, _ in chosen))].reshape(*x.shape[:2], -1)
        y[(..., *place)] = (inside.max(-1) if method == "MAX" else inside.sum(-1) / np.prod([d for _, _, d in chosen]))
    return y


@pytest.mark.parametrize("shape", [(2, 3, 11), (2, 2, 5, 8), (2, 2, 4, 5, 6), (1, 2, 3, 4, 5, 3)])
@pytest.mark.parametrize("kernel, stride, pad, floor", [(3, 2, 0, False), (3, 2, 1, False), (2, 1, 1, False),
                                                        (3, 2, 0, True), (3, 3, 2, False), (2, 2, 1, True)])
@pytest.mark.parametrize("method", ["MAX", "AVE"])
def test_any_number_of_axes(shape, kernel, stride, pad, floor, method):
    x = np.random.default_rng(0).standard_normal(shape)
    alone = pooling(x, f"pool: {method} kernel_size: {kernel} stride: {stride} pad: {pad} "
                    f"round_mode: {'FLOOR' if floor else 'CEIL'}")
    (y,) = alone.forward()
    np.testing.assert_allclose(y, naive(x, method, kernel, stride, pad, floor), atol=1e-12)
    (dx,) = alone.backward([np.ones_like(y)], [True])
    share = y.size if method == "MAX" else naive(np.ones(shape), method, kernel, stride, pad, floor).sum()
    np.testing.assert_allclose(dx.sum(), share)


def test_places_and_whole_lines_on_one_axis():
    x = np.random.default_rng(0).standard_normal((2, 3, 7))
    y, mask = pooling(x, "kernel_size: 3 stride: 2", tops="y mask").forward()
    np.testing.assert_array_equal(np.take_along_axis(x, mask.astype(int), 2), y)
    (y,) = pooling(x, "pool: AVERAGE global_pooling: true").forward()
    np.testing.assert_allclose(y[..., 0], x.mean(2))


def test_padding_of_one_axis_drops_late_windows_of_all():
    x = np.ones((1, 1, 5, 4))
    sizes = "kernel_h: 1 kernel_w: 2 stride_h: 3 stride_w: 1"
    assert pooling(x, sizes).forward()[0].shape == (1, 1, 3, 3)
    assert pooling(x, sizes + " pad_h: 0 pad_w: 1").forward()[0].shape == (1, 1, 2, 5)


def test_errors_of_other_axes():
    with pytest.raises(NetError, match="2 spatial axes for stride_h and stride_w, got 1"):
        pooling(np.ones((2, 3, 7)), "kernel_size: 3 stride_h: 1 stride_w: 2")
    alone = pooling(np.ones((2, 3, 7)), "kernel_size: 3")
    alone.values = [np.ones((2, 3, 7, 7))]
    with pytest.raises(ShapeError, match="3 axes, as when the net was built"):
        alone.forward()


# Stochastic pooling

def test_values_are_drawn_in_proportion():
    x = np.tile([[1.0, 2], [0, 5]], (40, 50, 4, 4))  # 32000 windows of the same four values
    alone = pooling(x, "pool: STOCHASTIC kernel_size: 2 stride: 2", phase=TRAIN)
    (y,) = alone.forward()
    values, counts = np.unique(y, return_counts=True)
    assert values.tolist() == [1, 2, 5]
    np.testing.assert_allclose(counts / y.size, [1 / 8, 2 / 8, 5 / 8], atol=0.015)
    (mean,) = pooling(x, "pool: STOCHASTIC kernel_size: 2 stride: 2", phase=TEST).forward()
    np.testing.assert_allclose(mean, 30 / 8)
    (dx,) = alone.backward([y], [True])
    np.testing.assert_array_equal(dx.reshape(40, 50, 4, 2, 4, 2).sum((3, 5)), y)
    assert set(np.unique(dx - x * (dx > 0))) == {0}
    alone.layer.context.step = 1
    assert (alone.forward()[0] != y).mean() > 0.3


def test_a_window_of_zeros():
    x = np.zeros((1, 1, 2, 4))
    x[0, 0, 1, 3] = 7
    for phase, want in ((TRAIN, [[1, 0, 0, 0], [0, 0, 0, 1]]), (TEST, [[0, 0, -1, -1], [0, 0, -1, 1]])):
        alone = pooling(x, "pool: STOCHASTIC kernel_size: 2 stride: 2", phase=phase)
        assert alone.forward()[0].tolist() == [[[[0, 7]]]]
        np.testing.assert_allclose(alone.backward([np.ones((1, 1, 1, 2))], [True])[0][0, 0], want)


def test_a_window_that_reaches_no_threshold():
    alone = pooling(-np.ones((1, 1, 1, 400)), "pool: STOCHASTIC kernel_h: 1 kernel_w: 2 stride_h: 1 stride_w: 2")
    (y,) = alone.forward()  # sums -2, running sums -1 and -2: half of the thresholds lie above -1
    assert set(np.unique(y)) == {-1, 0} and 60 < (y == 0).sum() < 140
    (dx,) = alone.backward([np.ones_like(y)], [True])
    np.testing.assert_array_equal(dx.reshape(1, 1, 1, 200, 2).sum(-1), y == -1)


def test_stochastic_windows_cut_off_at_the_end():
    x = np.arange(1, 6.0).reshape(1, 1, 5)
    (y,) = pooling(x, "pool: STOCHASTIC kernel_size: 2 stride: 2", phase=TEST).forward()
    np.testing.assert_allclose(y[0, 0], [5 / 3, 25 / 7, 5])


def test_only_maxima_have_places():
    with pytest.raises(NetError, match="second top is for pool: MAX"):
        pooling(np.ones((1, 1, 4, 4)), "pool: STOCHASTIC kernel_size: 2", tops="y mask")


# Spatial pyramids

@pytest.mark.parametrize("shape, height", [((2, 3, 8, 8), 3), ((1, 2, 9, 7), 3), ((2, 2, 4, 6), 2), ((2, 3, 3, 10), 2),
                                           ((2, 1, 20, 16), 4)])
@pytest.mark.parametrize("method", ["MAX", "AVE"])
def test_pyramid(shape, height, method):
    x = np.random.default_rng(0).standard_normal(shape)
    alone = spp(x, f"pyramid_height: {height} pool: {method} engine: CUDNN")
    (y,) = alone.forward()
    want = []
    for level in range(height):
        bins = 2 ** level
        kernel = [int(np.ceil(size / bins)) for size in shape[2:]]
        pad = [(k * bins - size + 1) // 2 for k, size in zip(kernel, shape[2:])]
        grid = np.empty((*shape[:2], bins, bins))
        for i, j in np.ndindex(bins, bins):
            a, b = i * kernel[0] - pad[0], j * kernel[1] - pad[1]
            inside = x[:, :, max(a, 0):a + kernel[0], max(b, 0):b + kernel[1]]
            divisor = (min(a + kernel[0], shape[2] + pad[0]) - a) * (min(b + kernel[1], shape[3] + pad[1]) - b)
            grid[:, :, i, j] = inside.max((2, 3)) if method == "MAX" else inside.sum((2, 3)) / divisor
        want.append(grid.reshape(shape[0], -1))
    np.testing.assert_allclose(y, np.hstack(want), atol=1e-12)
    (dx,) = alone.backward([np.ones_like(y)], [True])
    if method == "MAX":
        np.testing.assert_allclose(dx.sum((1, 2, 3)), y.shape[1])


def test_one_grid_keeps_four_axes():
    x = np.random.default_rng(0).standard_normal((2, 3, 5, 4))
    (y,) = spp(x, "pyramid_height: 1").forward()
    np.testing.assert_array_equal(y, x.max((2, 3), keepdims=True))


def test_another_plane_gives_rows_of_the_same_length():
    alone = spp(np.ones((2, 3, 8, 8)), "pyramid_height: 3")
    alone.values = [np.random.default_rng(0).standard_normal((3, 3, 11, 6))]
    (y,) = alone.forward()
    assert y.shape == (3, 3 * 21)
    np.testing.assert_array_equal(y, spp(alone.values[0], "pyramid_height: 3").forward()[0])


@pytest.mark.parametrize("shape, options, error, says", [
    ((2, 3, 4, 4), "", NetError, "pyramid_height above 0, got 0"),
    ((2, 3, 4), "pyramid_height: 1", ShapeError, r"4 axes \(N, C, H, W\)"),
    ((2, 3, 0, 4), "pyramid_height: 1", ShapeError, "H and W above 0"),
    ((2, 3, 8, 5), "pyramid_height: 3", ShapeError, r"a grid of 4 x 4.*pad \[0, 2\]"),
    ((2, 3, 3, 8), "pyramid_height: 3", ShapeError, r"a grid of 4 x 4.*padding below the kernel"),
    ((2, 3, 6, 4), "pyramid_height: 3 pool: STOCHASTIC", ShapeError, "a grid of 4 x 4 with pool: STOCHASTIC"),
])
def test_errors_of_pyramids(shape, options, error, says):
    with pytest.raises(error, match=f"'it'.*{says}"):
        spp(np.ones(shape), options)


# Windows side by side

@pytest.mark.parametrize("size, kernel, pad", [((8, 6), (4, 3), (0, 0)), ((9, 7), (3, 2), (2, 1)),
                                               ((5, 4), (5, 4), (0, 0)), ((7,), (3,), (1,)),
                                               ((4, 5, 6), (2, 3, 6), (0, 1, 0))])
@pytest.mark.parametrize("values", ["normal", "ties", "lowest", "nan"])
def test_rows_of_tiles_are_what_running_maxima_give(size, kernel, pad, values):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((2, 3, *size)) if values == "normal" else rng.integers(0, 2, (2, 3, *size)).astype(float)
    if values in ("lowest", "nan"):
        x[x == 0] = -np.inf if values == "lowest" else np.nan
    axes = window_axes(size, kernel, kernel, pad)
    assert are_tiles(axes)
    found, top_diff = [], rng.standard_normal((2, 3, *(axis.out for axis in axes)))
    for kind in (MaxPool, TileMax):
        pool = kind(np, np.float64, 2, 3, axes)
        y, places, dx = np.empty_like(top_diff), np.empty_like(top_diff), np.full_like(x, 9)
        pool.forward(x, y)
        pool.places(places)
        pool.backward(top_diff, dx)
        found.append((y, places, dx))
    for a, b in zip(*found, strict=True):
        np.testing.assert_array_equal(a, b)


def test_windows_that_overlap_or_leave_gaps_are_no_tiles():
    assert not are_tiles(window_axes((8, 8), (3, 3), (2, 2), (0, 0)))
    assert not are_tiles(window_axes((8, 8), (2, 2), (2, 3), (0, 0)))
    assert are_tiles(window_axes((8, 5), (8, 5), (1, 1), (0, 0)))


def test_wide_windows():
    x = np.random.default_rng(0).standard_normal((2, 3, 20, 14))
    halves = "kernel_h: 10 kernel_w: 7 stride_h: 10 stride_w: 7"
    for options, size in (("global_pooling: true", (20, 14)), (halves, (10, 7))):
        alone = pooling(x, options, tops="y mask")
        y, mask = alone.forward()
        want = x.reshape(2, 3, 20 // size[0], size[0], 14 // size[1], size[1]).max((3, 5))
        np.testing.assert_array_equal(y, want)
        planes, places = x.reshape(6, -1), mask.reshape(6, -1).astype(int)
        np.testing.assert_array_equal(np.take_along_axis(planes, places, 1), y.reshape(6, -1))
        (dx,) = alone.backward([y, mask], [True])
        np.testing.assert_array_equal(dx, x * np.isin(x, y))


def test_the_mean_of_negative_windows():
    """0, and no gradient, where the sum is not above 0; sum of squares / sum elsewhere."""
    x = np.array([[[[1, -2], [.5, .2]]], [[[-1, -1], [-1, -1]]], [[[1, 2], [0, 1]]]])
    pool = pooling(x, "pool: STOCHASTIC kernel_size: 2", phase=TEST)
    np.testing.assert_allclose(pool.forward()[0].ravel(), [0, 0, 1.5])
    (dx,) = pool.backward([np.ones((3, 1, 1, 1))], [True])
    assert not dx[:2].any()
    np.testing.assert_allclose(dx[2].ravel(), (2 * x[2].ravel() - 1.5) / 4)
