"""Resizing against a reference that goes pixel by pixel in whole numbers, and figures of OpenCV."""

from __future__ import annotations

import math

import numpy as np
import pytest

from blobnet.data.images.resize import resize
from blobnet.errors import ShapeError

f32 = np.float32


def weights(old, new, i, clamp):
    """The two old pixels beside new pixel i, and their weights in 2048ths."""
    place = f32((i + 0.5) * (old / new) - 0.5)
    low = math.floor(place)
    part = f32(place - f32(low))
    if clamp and low < 0:
        low, part = 0, f32(0)
    if clamp and low >= old - 1:
        low, part = old - 1, f32(0)
    pair = [min(max(low + k, 0), old - 1) for k in (0, 1)]
    return pair, [round(float((f32(1) - part) * f32(2048))), round(float(part * f32(2048)))]


def reference(image, height, width):
    channels, rows, columns = image.shape
    out = np.zeros((channels, height, width), np.uint8)
    for c, y, x in np.ndindex(out.shape):
        if (rows, columns) == (2 * height, 2 * width):
            out[c, y, x] = (int(image[c, 2 * y:2 * y + 2, 2 * x:2 * x + 2].sum()) + 2) // 4
            continue
        (left, right), (p, q) = weights(columns, width, x, True)
        (top, bottom), (r, s) = weights(rows, height, y, False)
        above, below = (int(image[c, row, left]) * p + int(image[c, row, right]) * q for row in (top, bottom))
        out[c, y, x] = ((r * (above // 16)) // 65536 + (s * (below // 16)) // 65536 + 2) // 4
    return out


@pytest.mark.parametrize("old, new", [
    ((5, 7), (3, 4)), ((5, 7), (11, 13)), ((6, 8), (3, 4)), ((6, 8), (3, 5)), ((1, 9), (4, 2)), ((9, 1), (2, 3)),
    ((7, 7), (7, 3)), ((4, 6), (9, 6)), ((20, 18), (16, 14)), ((13, 31), (1, 1)), ((1, 1), (3, 2)),
    ((40, 10), (10, 40))])
def test_pixel_by_pixel(old, new):
    image = np.random.default_rng(old + new).integers(0, 256, (2, *old), np.uint8)
    np.testing.assert_array_equal(resize(image, *new), reference(image, *new))


IMAGE = (np.arange(12) * 53 % 256 + 7).astype(np.uint8).reshape(1, 3, 4)


@pytest.mark.parametrize("wanted", [
    [[54, 128], [180, 62]], [[60, 54, 58, 93, 128, 155], [186, 180, 152, 59, 62, 89]],
    [[16, 86, 157], [83, 69, 140], [185, 43, 113], [184, 93, 87], [184, 126, 69]]])
def test_figures_of_opencv(wanted):
    assert resize(IMAGE, len(wanted), len(wanted[0])).tolist() == [wanted]


def test_the_same_size_is_the_same_image():
    assert resize(IMAGE, 3, 4) is IMAGE


@pytest.mark.parametrize("shape, new", [((1, 0, 3), (2, 2)), ((1, 3, 3), (0, 2))])
def test_nothing_to_resize(shape, new):
    with pytest.raises(ShapeError, match="at least one pixel"):
        resize(np.zeros(shape, np.uint8), *new)
