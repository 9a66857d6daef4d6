"""Arrays as pictures: which number has which colour, in which place, and what is left out."""

import io

import numpy as np
import pytest
from PIL import Image

from blobnet.view.bars import bars
from blobnet.view.pictures import array_picture, extent


def pixels(array, signed=False, most=60_000):
    """(h, w, 4), red first, opacity last."""
    array = np.asarray(array, np.float32)
    return np.array(Image.open(io.BytesIO(array_picture(array, extent(array), signed, most).png)).convert("RGBA"))


def picture(shape, signed=False, most=60_000):
    array = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
    return array_picture(array, extent(array), signed, most)


def test_data_in_gray():
    assert pixels([[-1, 0], [3, 1]])[..., 0].tolist() == [[0, 63], [255, 127]]
    assert len(np.unique(pixels([[2, 2], [2, 2]])[..., :3])) == 1


def test_diffs_around_0():
    (least, zero), (largest, half) = pixels([[-4, 0], [2, -2]], signed=True)[..., :3].tolist()
    assert least == [33, 102, 172]
    assert min(zero) >= 254 and max(zero) - min(zero) <= 1
    assert largest[0] > largest[2] and half[2] > half[0]  # as far from white, in red and in blue
    assert pixels(np.zeros((2, 2)), signed=True)[..., :3].min() >= 254


def test_filters_of_three_channels_are_in_colour():
    filters = np.zeros((2, 3, 2, 2))
    filters[0, 0] = filters[1, 2] = 1  # blue is the first channel
    shown = pixels(filters)
    assert shown.shape == (2, 5, 4)
    assert shown[0, 0].tolist() == [0, 0, 255, 255] and shown[0, 3].tolist() == [255, 0, 0, 255]
    assert shown[0, 2, 3] == 0  # a gap between images is seen through
    assert pixels(filters, signed=True).shape == (5, 8, 4)  # a tile a channel


def test_what_is_not_finite_is_magenta():
    for array in (np.ones((2, 2)), np.ones((1, 3, 2, 2))):
        array[..., 0, 1] = np.nan
        array[..., 1, 1] = np.inf
        assert pixels(array)[:, 1].tolist() == [[255, 0, 255, 255]] * 2
        assert extent(array)[:2] == (1, 1) and extent(array).not_finite == array.size // 2
    assert pixels(np.full((2, 2), np.nan), signed=True)[..., 1].max() == 0


def test_numbers_at_the_ends_of_float64():
    array = np.array([[-1.7e308, 0], [1.7e308, 5e-324]])
    for signed in (False, True):
        assert array_picture(array, extent(array), signed).png
    tiny = np.array([[0, 5e-324], [5e-324, 0]])
    assert array_picture(tiny, extent(tiny)).png


def test_where_the_images_stand():
    """Rows of a first axis; where that is the longer one, columns."""
    shown = pixels(np.arange(32).reshape(2, 4, 2, 2))
    assert shown.shape == (5, 11, 4)
    assert shown[3, 0, 0] > shown[0, 9, 0] > shown[0, 6, 0] > shown[0, 3, 0] > shown[0, 0, 0]
    assert picture((2, 4, 2, 2)).order == "first axis down, others right"
    assert (shown[2, :, 3] == 0).all() and (shown[:, 5, 3] == 0).all() and (shown[3:, 3:5, 3] == 255).all()
    shown = pixels(np.arange(24).reshape(3, 2, 2, 2))
    assert shown.shape == (5, 8, 4)
    assert shown[0, 6, 0] > shown[3, 0, 0] and picture((3, 2, 2, 2)).order == "first axis right, others down"
    assert picture((1, 8, 2, 2)).order == "" and picture((5, 2)).order == "first axis right, others down"
    assert pixels(np.arange(10).reshape(5, 2)).shape == (2, 5, 4)


@pytest.mark.parametrize("shape, words", [
    ((5, 7), ""), ((2, 3, 4, 5), ""), ((1, 1, 160, 100), ""), ((6, 5, 1, 1), ""), ((2, 1, 3, 4, 5), ""),
    ((1, 3, 227, 227), "1 in 2 rows and columns of 227x227"),
    ((1, 64, 224, 224), "1 in 4 rows and columns of 224x224, 19 of 64 images"),
    ((64, 256, 5, 5), "2,120 of 16,384 images"),
    ((4096, 500), "the first 187x320 of 500x4096"),
])
def test_what_is_left_out(shape, words):
    assert picture(shape).left_out == words


@pytest.mark.parametrize("shape", [(64, 3, 300, 300), (1, 1, 5000, 7), (3, 3), (5, 4, 3, 2, 2), (1000, 1000), (2, 900),
                                   (700, 2, 3), (1, 1, 2, 9000)])
@pytest.mark.parametrize("most", [60_000, 3_000])
def test_a_picture_is_small(shape, most):
    found = picture(shape, most=most)
    assert len(found.png) < most + 3_000
    assert found.width <= 640 and found.height <= 480


def test_bars():
    text = bars(np.array([2.0, -1.0, np.nan]), "three")
    assert 'height="80.0"' in text and 'height="40.0"' in text and text.count("<rect") == 3 and "#ff00ff" in text
    assert '<rect x="0.0" y="0.0"' in text and '<rect x="24.0" y="80.0"' in text and 'M0 80.0H72.0' in text
    assert bars(np.zeros(2), "zero").count('height="0.0"') == 2
    assert "inf" not in bars(np.array([1.7e308, -1.7e308]), "large")
