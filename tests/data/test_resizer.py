"""Ways to resize, and where boxes are afterwards: figures by hand."""

from __future__ import annotations

import numpy as np
import pytest

from blobnet.data.images.centering import object_part, otsu
from blobnet.data.images.resize import resize
from blobnet.data.images.resizer import Resizer
from blobnet.data.images.rotation import rotated
from blobnet.errors import DataError, NetError
from blobnet.proto.text import parse

WIDE = np.arange(1, 65, dtype=np.uint8).reshape(1, 4, 16)
BOX = np.float32([[0.25, 0.25, 0.75, 1]])
WARP, SMALL, LARGE = ("resize_mode: " + mode for mode in ("WARP", "FIT_SMALL_SIZE", "FIT_LARGE_SIZE_AND_PAD"))


def resizer(options):
    return Resizer(parse(options, "ResizeParameter"))


def apply(options, image=WIDE, seed=0):
    return resizer(options)(image, np.random.default_rng(seed))


@pytest.mark.parametrize("options, old, size, box", [
    (f"{WARP} height: 8 width: 8", (4, 16), (8, 8), (0.25, 0.25, 0.75, 1)),
    (f"{SMALL} height: 8 width: 8", (4, 16), (8, 32), (0.25, 0.25, 0.75, 1)),
    (f"{SMALL} height: 8 width: 8", (16, 4), (32, 8), (0.25, 0.25, 0.75, 1)),
    (f"{SMALL} height: 8 width: 8", (7, 7), (8, 8), (0.25, 0.25, 0.75, 1)),
    (f"{SMALL} height: 300 width: 300", (375, 500), (300, 400), (0.25, 0.25, 0.75, 1)),
    (f"{SMALL} height: 5 width: 9", (4, 7), (5, 9), (0.25, 0.25, 0.75, 1)),    # 36 / 7 is rounded down
    (f"{LARGE} height: 8 width: 8", (4, 16), (8, 8), (0.25, 0.4375, 0.75, 0.625)),  # of 8 rows 3 to 4 are the image
    (f"{LARGE} height: 8 width: 8", (16, 4), (8, 8), (0.4375, 0.25, 0.5625, 1)),
    (f"{LARGE} height: 8 width: 8", (9, 9), (8, 8), (0.25, 0.25, 0.75, 1)),
    (f"{LARGE} height: 6 width: 8", (4, 16), (6, 8), (0.25, 2.5 / 6, 0.75, 4 / 6)),
])
def test_sizes_and_boxes(options, old, size, box):
    made = resizer(options)
    assert made.size(old) == size
    np.testing.assert_allclose(made.boxes(BOX, old), [box], rtol=1e-6)
    assert apply(options, np.zeros((3, *old), np.uint8)).shape == (3, *size)


def test_boxes_are_held_within_the_image():
    np.testing.assert_array_equal(resizer(f"{WARP} height: 9 width: 5").boxes(np.float32([[-1, 0.5, 3e38, 2]]), (4, 4)),
                                  [[0, 0.5, 1, 1]])


@pytest.mark.parametrize("pad, rows", [
    ("", [0, 0, 0, 1, 2, 0, 0, 0]), ("pad_value: 9", [9, 9, 9, 1, 2, 9, 9, 9]),
    ("pad_value: 8.6", [9, 9, 9, 1, 2, 9, 9, 9]),
    ("pad_mode: REPEAT_NEAREST", [1, 1, 1, 1, 2, 2, 2, 2]),
    ("pad_mode: MIRRORED", [2, 1, 2, 1, 2, 1, 2, 1]),  # without the last row itself
])
def test_what_is_filled_up(pad, rows):
    image = np.array([[[1] * 8, [2] * 8]], np.uint8)
    np.testing.assert_array_equal(apply(f"{LARGE} height: 8 width: 8 {pad}", image)[0], np.repeat([rows], 8, 0).T)
    np.testing.assert_array_equal(apply(f"{LARGE} height: 8 width: 8 {pad}", image.transpose(0, 2, 1))[0],
                                  np.repeat([rows], 8, 0))


def test_borders_of_two_sizes():
    """Of 8 rows the image takes 3: 2 are missing before it, 3 behind."""
    found = apply(f"{LARGE} height: 8 width: 8 pad_value: 1 pad_value: 2", np.full((2, 3, 8), 7, np.uint8))
    assert found[:, :, 0].tolist() == [[1, 1, 7, 7, 7, 1, 1, 1], [2, 2, 7, 7, 7, 2, 2, 2]]


def test_every_image_draws_one_interpolation():
    ways = {name: apply(f"height: 7 width: 9 interp_mode: {name}").tobytes()
            for name in ("LINEAR", "AREA", "NEAREST", "CUBIC", "LANCZOS4")}
    assert len(set(ways.values())) == 5 and ways["LINEAR"] == resize(WIDE, 7, 9).tobytes()
    both = "height: 7 width: 9 interp_mode: AREA interp_mode: CUBIC"
    drawn = [apply(both, seed=seed).tobytes() for seed in range(20)]
    assert set(drawn) == {ways["AREA"], ways["CUBIC"]}


def test_boxes_as_parts_of_another_size():
    made = resizer(f"{SMALL} height: 8 width: 8 height_scale: 4 width_scale: 16")
    np.testing.assert_allclose(made.rescaled(BOX, (4, 16), np.float32([0, 0, 1, 1])), [[0.5, 0.5, 1.5, 2]])
    np.testing.assert_allclose(made.rescaled(BOX, (4, 16), np.float32([0.5, 0, 1, 0.5])), [[0.25, 0.25, 0.75, 1]])
    with pytest.raises(DataError, match=r"at least width_scale x height_scale \(16 x 4\), got 8 x 8"):
        made.rescaled(BOX, (4, 16), np.float32([0.25, 0, 0.5, 1]))
    other = resizer(f"{SMALL} height: 8 width: 8 height_scale: 4")
    np.testing.assert_array_equal(other.rescaled(BOX, (4, 16), np.float32([0, 0, 1, 1])), BOX)


def test_an_image_of_odd_shape_takes_no_memory_out_of_proportion():
    with pytest.raises(DataError, match="an image of 300 x 30000000, expected at most"):
        apply(f"{SMALL} height: 300 width: 300", np.zeros((1, 1, 100000), np.uint8))


@pytest.mark.parametrize("angle, turns", [(0, 0), (90, 1), (180, 2), (-90, 3), (360, 0)])
@pytest.mark.parametrize("interpolation", ["LINEAR", "NEAREST"])
def test_quarter_turns(angle, turns, interpolation):
    image = np.arange(75, dtype=np.uint8).reshape(3, 5, 5)
    np.testing.assert_array_equal(rotated(image, angle, interpolation), np.rot90(image, turns, (1, 2)))


@pytest.mark.parametrize("border, corner", [("CONSTANT", 9), ("REPEAT_NEAREST", 5), ("MIRRORED", 5)])
def test_what_a_turn_shows_beyond_the_image(border, corner):
    flat = np.full((1, 9, 9), 5, np.uint8)
    turned = rotated(flat, 45, "NEAREST", border, np.array([9]))
    assert turned[0, 0, 0] == corner and turned[0, 4, 4] == 5


def test_angles_are_drawn_to_both_sides():
    """How far a dark row in the middle rises on the right says how far an image was turned."""
    image = np.full((1, 41, 41), 255, np.uint8)
    image[0, 20] = 0
    rises = []
    for seed in range(60):
        turned = apply("height: 41 width: 41 max_angle: 30 pad_value: 255", image, seed)
        rises.append(20 - int(turned[0, :, 38].argmin()))
    assert -11 <= min(rises) < -7 and 7 < max(rises) <= 11  # 18 * tan 30 is 10.4


def test_an_object_is_cut_out():
    """Columns 6 to 8 and rows 4 to 5 of 12 x 20: it begins 2 before them and ends 2 behind the pixel that follows."""
    image = np.full((3, 12, 20), 200, np.uint8)
    image[:, 4:6, 6:9] = 10
    np.testing.assert_array_equal(object_part(image), image[:, 2:7, 4:10])
    np.testing.assert_array_equal(object_part(255 - image[:1]), 255 - image[:1, 2:7, 4:10])
    image[:, 7, 0] = 10  # the edge is not plain
    np.testing.assert_array_equal(object_part(image), image)
    flat = np.full((1, 5, 5), 3, np.uint8)
    np.testing.assert_array_equal(object_part(flat), flat)


@pytest.mark.parametrize("options, words", [
    ("max_angle: 400", "max_angle from 0 to 360, got 400"), ("max_angle: nan", "got nan"),
    ("max_angle: 3 interp_mode: CUBIC interp_mode: LINEAR", "LINEAR, AREA or NEAREST with max_angle, got CUBIC"),
    (f"center_object: true {SMALL}", "center_object with resize_mode FIT_SMALL_SIZE"),
])
def test_options_that_cannot_be(options, words):
    with pytest.raises(NetError, match=words):
        resizer(f"height: 5 width: 5 {options}")


def test_turns_and_thresholds_as_opencv():
    cv2 = pytest.importorskip("cv2")
    rng = np.random.default_rng(8)
    borders = {"CONSTANT": cv2.BORDER_CONSTANT, "MIRRORED": cv2.BORDER_REFLECT101,
               "REPEAT_NEAREST": cv2.BORDER_REPLICATE}
    for height, width, angle in ((20, 31, 10), (64, 50, -33.3), (7, 5, 170)):
        image = rng.integers(0, 256, (height, width, 3)).astype(np.uint8)
        turn = cv2.getRotationMatrix2D((width // 2, height // 2), angle, 1.0)
        for border, number in borders.items():
            for interpolation in ("LINEAR", "NEAREST"):
                expected = cv2.warpAffine(image, turn, (width, height), borderMode=number, borderValue=(7, 8, 9),
                                          flags=getattr(cv2, f"INTER_{interpolation}"))
                found = rotated(image.transpose(2, 0, 1), angle, interpolation, border, np.array([7, 8, 9]))
                np.testing.assert_array_equal(found.transpose(1, 2, 0), expected)
        plane = image[:, :, 0].copy()
        assert otsu(plane) == cv2.threshold(plane, 0, 255, cv2.THRESH_BINARY_INV | cv2.THRESH_OTSU)[0]
