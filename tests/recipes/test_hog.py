"""Histograms of oriented gradients."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from blobnet.errors import ShapeError
from blobnet.recipes.hog import direction_bins, gradient_histograms


def test_directions_fall_into_their_bins_and_places_into_their_cells():
    rows = np.arange(32, dtype=np.uint8)
    image = np.zeros((32, 32), np.uint8)
    image[:, :16] = rows[:, None]   # rises downwards on the left
    histogram = gradient_histograms(image, cells=2, bins=4).reshape(2, 2, 4)
    assert histogram[:, 0].argmax(-1).tolist() == [2, 2]  # 90 degrees
    assert histogram[1, 1].argmax() == 0                   # the border falls to the right: 0 degrees, 180 alike
    np.testing.assert_allclose(np.linalg.norm(histogram), 1, rtol=1e-6)


def test_histograms_do_not_tell_light_from_dark_nor_contrast():
    image = np.random.default_rng(1).integers(0, 100, (32, 32)).astype(np.uint8)
    wanted = gradient_histograms(image)
    np.testing.assert_allclose(gradient_histograms(255 - image), wanted, atol=1e-3)
    np.testing.assert_allclose(gradient_histograms(2 * image), wanted, atol=1e-6)


def test_an_even_image_has_no_gradients():
    assert not gradient_histograms(np.full((16, 16), 9, np.uint8)).any()


def test_sides_must_fit_the_cells():
    with pytest.raises(ShapeError, match=r"multiples of 8, got \(16, 12\)"):
        gradient_histograms(np.zeros((16, 12), np.uint8))


@pytest.mark.parametrize("bins, angles, owners", [
    (8, [0, 22, 23, 45, 89, 90, 135, 157, 158, 180, 225, 270, 315], [0, 0, 1, 2, 3, 4, 6, 6, 7, 0, 2, 4, 6]),
    (4, [0, 44, 45, 90, 134, 135, 179], [0, 0, 1, 2, 2, 3, 3]), (6, [29, 31, 90, 149, 151], [0, 1, 3, 4, 5]),
    (1, [0, 100], [0, 0])])
def test_a_bin_owns_the_direction_it_begins_at(bins, angles, owners):
    exact = {0: (0, 1), 45: (1, 1), 90: (1, 0), 135: (1, -1), 180: (0, -1), 225: (-1, -1), 270: (-1, 0), 315: (-1, 1)}
    for scale in (1, 0.5, 3, 255, 1e-30):
        slopes = [exact.get(a, (np.sin(np.radians(a)), np.cos(np.radians(a)))) for a in angles]
        down, right = np.array(slopes, np.float32).T.astype(float) * np.float32(scale)
        assert direction_bins(down, right, bins).tolist() == owners
    assert direction_bins(np.zeros(1), np.zeros(1), bins) == 0


@pytest.mark.parametrize("up", [True, False])
def test_the_last_bits_of_a_processors_functions_play_no_part(monkeypatch, up):
    rng = np.random.default_rng(2)
    images = [np.kron(rng.integers(0, 256, (16, 16)), np.ones((4, 4))).astype(np.uint8),
              rng.integers(0, 256, (64, 64)).astype(np.uint8),
              np.add.outer(np.arange(64), np.arange(64)).astype(np.uint8)]
    wanted = [gradient_histograms(image) for image in images]
    for name in ("arctan2", "arctan", "hypot", "exp", "sin", "cos", "tan"):
        exact = getattr(np, name)
        monkeypatch.setattr(np, name, lambda *args, exact=exact: np.nextafter(exact(*args), np.inf if up else -np.inf))
    for image, histogram in zip(images, wanted):
        assert np.array_equal(gradient_histograms(image), histogram)


@given(st.integers(0, 99), st.sampled_from([2, 4, 8]))
def test_a_turned_or_reversed_image_has_turned_or_the_same_histograms(seed, bins):
    image = np.kron(np.random.default_rng(seed).integers(0, 256, (8, 8)), np.ones((4, 4))).astype(np.uint8)
    histogram = gradient_histograms(image, 4, bins).reshape(4, 4, bins)
    turned = np.roll(np.rot90(histogram), bins // 2, axis=2)
    np.testing.assert_allclose(gradient_histograms(np.rot90(image), 4, bins).reshape(4, 4, bins), turned, atol=1e-7)
    np.testing.assert_array_equal(gradient_histograms(255 - image, 4, bins).reshape(4, 4, bins), histogram)
