"""Arrays as bytes, and histograms."""

import numpy as np
import pytest

from blobnet.explain.pictures import corner, histogram, picture


@pytest.mark.parametrize("shape, most, kept", [
    ((4, 20, 24, 24), 100000, (4, 20, 24, 24)), ((4, 20, 24, 24), 30000, (2, 20, 24, 24)),
    ((4, 20, 24, 24), 6000, (1, 10, 24, 24)), ((4, 20, 24, 24), 600, (1, 1, 24, 24)),
    ((4, 20, 24, 24), 50, (1, 1, 2, 24)), ((1000,), 64, (64,)), ((), 1, ()), ((0, 3), 5, (0, 3)), ((3, 0), 5, (3, 0))])
def test_the_first_images_and_channels_stay(shape, most, kept):
    array = np.arange(np.prod(shape, dtype=int)).reshape(shape)
    found = corner(array, most)
    assert found.shape == kept
    assert np.array_equal(found, array[tuple(slice(size) for size in kept)])


def test_bytes_come_back_to_the_numbers():
    array = np.random.default_rng(1).normal(size=(3, 4, 5))
    bytes_, low, high = picture(array, 1000)
    assert bytes_.dtype == np.uint8 and (low, high) == (array.min(), array.max())
    assert abs(low + bytes_ / 255 * (high - low) - array).max() <= (high - low) / 510 * 1.000001
    assert picture(array[:, :2], 20).numbers.shape == (2, 2, 5)


def test_pictures_of_odd_numbers():
    assert picture(np.full(3, 7.0), 5)[1:] == (7, 7) and not picture(np.full(3, 7.0), 5).numbers.any()
    assert picture(np.array([np.nan, -1, 1, np.inf, -np.inf]), 9).numbers.tolist() == [0, 0, 255, 255, 0]
    assert picture(np.array([-1e308, 0, 1e308]), 9).numbers.tolist() == [0, 128, 255]
    assert picture(np.array([np.nan, np.inf]), 9)[1:] == (0, 0)
    assert picture(np.zeros((0, 4)), 9).numbers.shape == (0, 4)


def test_histograms_count_finite_numbers():
    array = np.random.default_rng(1).normal(size=(30, 40))
    low, high, counts = histogram(np.append(array, [np.nan, np.inf]))
    assert (low, high) == (array.min(), array.max())
    assert counts.tolist() == np.histogram(array, 32)[0].tolist()
    assert histogram(np.full(5, 2.0))[2].tolist() == [5] + [0] * 31
    assert histogram(np.zeros(0))[2].tolist() == [0] * 32
    assert histogram(np.array([-1e308, 1e308]))[2].tolist() == [1] + [0] * 30 + [1]
