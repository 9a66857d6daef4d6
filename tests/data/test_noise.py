"""Colours, contrast and noise against figures by hand, and against OpenCV where it is there."""

from __future__ import annotations

import numpy as np
import pytest

from blobnet.data.images import colors, histograms
from blobnet.data.images.distort import Distortion, saturated, scaled, shifted, with_hue
from blobnet.data.images.noise import Noise, blurred, eroded
from blobnet.errors import BlobnetError
from blobnet.proto.text import parse

RNG = np.random.default_rng(3)
PATTERN = RNG.integers(0, 256, (3, 12, 9)).astype(np.uint8)
BLUE, GREEN, RED, YELLOW, WHITE, BLACK = np.eye(3)[0], np.eye(3)[1], np.eye(3)[2], (0, 1, 1), (1, 1, 1), (0, 0, 0)


def pixel(*parts):
    return np.array(parts, np.uint8).reshape(-1, 1, 1)


def noise(options, image=PATTERN, seed=0):
    return Noise(parse(options, "NoiseParameter"))(image, np.random.default_rng(seed))


def distort(options, image=PATTERN, seed=0):
    return Distortion(parse(options, "DistortionParameter"))(image, np.random.default_rng(seed))


@pytest.mark.parametrize("color, hsv", [
    (BLUE, (120, 255, 255)), (GREEN, (60, 255, 255)), (RED, (0, 255, 255)), (YELLOW, (30, 255, 255)),
    (WHITE, (0, 0, 255)), (BLACK, (0, 0, 0))])
def test_hues(color, hsv):
    image = pixel(*(255 * np.array(color)))
    assert colors.to_hsv(image).ravel().tolist() == list(hsv)
    np.testing.assert_array_equal(colors.from_hsv(pixel(*hsv)), image)
    np.testing.assert_array_equal(colors.from_hsv(pixel(hsv[0] + 60, *hsv[1:])),
                                  colors.from_hsv(pixel((hsv[0] + 60) % 180, *hsv[1:])))  # a turn is 180


def test_colors_come_back():
    np.testing.assert_allclose(colors.from_ycrcb(colors.to_ycrcb(PATTERN)), PATTERN, atol=3)
    np.testing.assert_allclose(colors.from_hsv(colors.to_hsv(PATTERN)).astype(int), PATTERN, atol=6)


@pytest.mark.parametrize("options, image, expected", [
    ("inverse: true", pixel(0, 10, 255), (255, 245, 0)),
    ("posterize: true", pixel(0, 63, 64), (32, 32, 96)),
    ("posterize: true", pixel(255, 191, 192), (224, 160, 224)),
    ("decolorize: true", pixel(255, 0, 0), (29, 29, 29)),        # 0.114 of blue
    ("decolorize: true", pixel(7), (7,)),
    ("convert_to_hsv: true", pixel(0, 255, 255), (30, 255, 255)),
    ("hist_eq: true", pixel(9), (9,)),
    ("inverse: true posterize: true", pixel(0, 64, 255), (223, 159, 31)),  # posterized first
])
def test_pixels(options, image, expected):
    assert noise(options, image).ravel().tolist() == list(expected)


def test_erosion_takes_the_darkest_of_five():
    image = np.full((1, 5, 5), 9, np.uint8)
    image[0, 2, 1] = 3
    expected = np.full((5, 5), 9)
    expected[1:4, 1] = expected[2, 0:3] = 3
    assert eroded(image)[0].tolist() == expected.tolist()


def test_blur_of_one_bright_pixel():
    image = np.zeros((1, 9, 9), np.uint8)
    image[0, 4, 4] = 255
    weights = np.array([9, 29, 55, 70, 55, 29, 9]) / 256
    expected = np.floor(255 * np.outer(weights, weights) + 0.5)
    np.testing.assert_array_equal(blurred(image)[0, 1:8, 1:8], expected)


def test_equalized_values_are_evenly_spread():
    plane = np.array([[10, 10, 20, 20], [20, 30, 30, 40]], np.uint8)  # the first of 2, then 3, 2 and 1 of the other 6
    assert histograms.equalize(plane).tolist() == [[0, 0, 128, 128], [128, 212, 212, 255]]


def test_contrast_by_tiles_is_limited():
    """A tile of one value: of 64 counts 1 stays, 63 are spread, and so few of 255 that the value is hardly brighter."""
    plane = np.full((64, 64), 100, np.uint8)
    found = histograms.equalize_tiles(plane)
    assert (found == found[0, 0]).all() and 90 < found[0, 0] < 112
    steps = np.repeat(np.repeat(np.arange(64, dtype=np.uint8).reshape(8, 8), 8, 0), 8, 1)
    assert histograms.equalize_tiles(steps).std() < 80


def test_pepper_falls_on_so_many_pixels():
    changed = noise("saltpepper: true saltpepper_param { fraction: 0.5 value: 1 value: 2 value: 3 }",
                    np.full((3, 10, 10), 9, np.uint8))
    hit = changed[0] == 1
    assert 20 < hit.sum() <= 50
    assert [set(plane[hit]) for plane in changed] == [{1}, {2}, {3}] and (changed[:, ~hit] == 9).all()
    again = noise("saltpepper: true saltpepper_param { fraction: 0.5 value: 1 }", np.full((3, 10, 10), 9, np.uint8))
    np.testing.assert_array_equal(again[0] == 1, hit)


def test_compression_loses_little():
    smooth = np.broadcast_to(np.arange(0, 160, 5, dtype=np.uint8), (3, 32, 32))
    assert 0 < np.abs(noise("jpeg: 60", smooth).astype(int) - smooth).max() < 12
    assert noise("jpeg: 60", smooth[:1]).shape == (1, 32, 32)
    np.testing.assert_array_equal(noise("", smooth), smooth)


@pytest.mark.parametrize("options, image, words", [
    ("convert_to_lab: true", PATTERN, "convert_to_lab is not here"),
    ("jpeg: 101", PATTERN, "jpeg of at most 100, got 101"), ("jpeg: nan", PATTERN, "got nan"),
    ("saltpepper: true", PATTERN, "a fraction from 0 to 1 and a value"),
    ("saltpepper: true saltpepper_param { fraction: 2 value: 1 }", PATTERN, "a fraction from 0 to 1"),
    ("saltpepper: true saltpepper_param { fraction: 0.5 value: -1 }", PATTERN, "values from 0 to 255"),
    ("saltpepper: true saltpepper_param { fraction: 0.5 value: [1, 2] }", PATTERN, r"one a channel \(3\), got 2"),
    ("convert_to_hsv: true", PATTERN[:1], "images of 3 channels, got 1; force_color"),
    ("hist_eq: true", PATTERN[:2], "images of 3 channels, got 2"),
    ("jpeg: 9", PATTERN[:2], "images of 3 channels, got 2"), ("decolorize: true", PATTERN[:2], "3 channels, got 2")])
def test_noise_that_cannot_be(options, image, words):
    with pytest.raises(BlobnetError, match=words):
        noise(options, image)


def test_values_are_rounded_and_clipped():
    assert shifted(np.array([0, 100, 250], np.uint8), 10.4).tolist() == [10, 110, 255]
    assert shifted(np.array([0, 100, 250], np.uint8), -20).tolist() == [0, 80, 230]
    assert scaled(np.array([1, 100, 250], np.uint8), 1.5).tolist() == [2, 150, 255]


def test_hue_and_saturation():
    assert with_hue(pixel(0, 0, 255), 60).ravel().tolist() == [0, 255, 0]       # red becomes green
    assert with_hue(pixel(0, 0, 255), -60).ravel().tolist() == [0, 0, 255]      # below red there is nothing
    assert with_hue(pixel(255, 0, 0), 60).ravel().tolist() == [0, 0, 255]       # and behind blue comes red again
    assert saturated(pixel(0, 0, 200), 0).ravel().tolist() == [200, 200, 200]
    assert saturated(pixel(100, 100, 200), 2).ravel().tolist() == [1, 1, 200]   # 127 of 255 is rounded down


@pytest.mark.parametrize("options, low, high", [
    ("brightness_prob: 1 brightness_delta: 30", 70, 130),
    ("contrast_prob: 1 contrast_lower: 0.5 contrast_upper: 1.5", 50, 150)])
def test_one_change_at_random(options, low, high):
    flat = np.full((3, 1, 1), 100, np.uint8)
    values = [int(distort(options, flat, seed)[0, 0, 0]) for seed in range(200)]
    assert low <= min(values) < low + 6 and high - 6 < max(values) <= high


def test_nothing_changes_without_chance():
    np.testing.assert_array_equal(distort("brightness_delta: 30 hue_delta: 9"), PATTERN)


def test_channels_change_places():
    orders = {tuple(distort("random_order_prob: 1", pixel(1, 2, 3), seed).ravel().tolist()) for seed in range(60)}
    assert len(orders) == 6


def test_contrast_comes_before_or_after_the_hue():
    """Red of half strength, made so strong that it is clipped, and then of another hue; or the other way round."""
    options = "contrast_prob: 1 contrast_lower: 9 contrast_upper: 9 saturation_prob: 1 saturation_lower: .5 " \
              "saturation_upper: .5"
    found = {tuple(distort(options, pixel(0, 0, 100), seed).ravel().tolist()) for seed in range(20)}
    assert found == {(127, 127, 255), (255, 255, 255)}  # red of full strength, half saturated; or white, clipped last


def test_contrast_comes_second_or_fourth(monkeypatch):
    orders, calls = set(), []
    for name in ("brightness", "contrast", "saturation", "hue"):
        monkeypatch.setattr(Distortion, f"_{name}", lambda self, image, rng, name=name: calls.append(name) or image)
    for seed in range(20):
        distort("", seed=seed)
        orders.add(tuple(calls))
        calls.clear()
    assert orders == {("brightness", "contrast", "saturation", "hue"), ("brightness", "saturation", "hue", "contrast")}


@pytest.mark.parametrize("options, image, words", [
    ("brightness_prob: 1 brightness_delta: -1", PATTERN, "brightness_delta from 0 to 255, got -1"),
    ("hue_prob: 1 hue_delta: nan", PATTERN, "hue_delta from 0 to 255, got nan"),
    ("contrast_prob: 1 contrast_lower: 2 contrast_upper: 1", PATTERN, "contrast_lower <= contrast_upper, got 2 and 1"),
    ("saturation_prob: 1 saturation_upper: inf", PATTERN, "saturation_upper, got 0 and inf"),
    ("", PATTERN[:1], "images of 3 channels, got 1")])
def test_distortions_that_cannot_be(options, image, words):
    with pytest.raises(BlobnetError, match=words):
        distort(options, image)


def test_as_opencv():
    cv2 = pytest.importorskip("cv2")
    for size in ((40, 7), (33, 7), (5, 4), (64, 64), (1, 1)):
        image = RNG.integers(0, 256, (*size, 3)).astype(np.uint8)
        image[:size[0] // 3] = image[:size[0] // 3, :, :1] // 32
        planes, plane = image.transpose(2, 0, 1), image[:, :, 0].copy()
        cross = cv2.getStructuringElement(2, (3, 3), (1, 1))
        for expected, found in [
                (cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)[:, :, None], colors.to_gray(planes)),
                (cv2.cvtColor(image, cv2.COLOR_BGR2YCrCb), colors.to_ycrcb(planes)),
                (cv2.cvtColor(image, cv2.COLOR_YCrCb2BGR), colors.from_ycrcb(planes)),
                (cv2.cvtColor(image, cv2.COLOR_BGR2HSV), colors.to_hsv(planes)),
                (cv2.GaussianBlur(image, (7, 7), 1.5), blurred(planes)), (cv2.erode(image, cross), eroded(planes)),
                (cv2.equalizeHist(plane)[:, :, None], histograms.equalize(plane)[None]),
                (cv2.createCLAHE(4).apply(plane)[:, :, None], histograms.equalize_tiles(plane)[None])]:
            np.testing.assert_array_equal(found.transpose(1, 2, 0), expected.reshape(found.transpose(1, 2, 0).shape))
        back = cv2.cvtColor(image, cv2.COLOR_HSV2BGR)  # in wide images OpenCV's vector code rounds down
        np.testing.assert_allclose(colors.from_hsv(planes).transpose(1, 2, 0), back, atol=int(size[1] > 7))
