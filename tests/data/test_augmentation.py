"""Larger images, parts of them, and the objects that stay: figures by hand and by plain loops."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from blobnet.data.images.augmentation import Augmentation
from blobnet.data.images.expansion import Expansion
from blobnet.data.images.objects import Objects, project, satisfies
from blobnet.data.images.resizer import Resizer
from blobnet.data.images.sampling import Sampling, cut_out, draw_windows
from blobnet.errors import BlobnetError, DataError
from blobnet.proto.messages import new
from blobnet.proto.text import parse

IMAGE = np.arange(1, 1 + 3 * 8 * 10, dtype=np.uint8).reshape(3, 8, 10)


def objects(*boxes):
    count = len(boxes)
    return Objects(np.arange(count), np.zeros(count, int), np.array(boxes, np.float32).reshape(-1, 4),
                   np.zeros(count, bool))


def transform(text):
    return parse(text, "TransformationParameter")


def sampling(*samplers):
    return Sampling([parse(each, "BatchSampler") for each in samplers])


def test_a_larger_image_holds_the_image():
    param = transform("expand_param { max_expand_ratio: 3 } mean_value: [4, 5.6, 300]")
    made, places = Expansion(param.expand_param, param), set()
    for seed in range(30):
        larger, window = made(IMAGE, np.random.default_rng(seed))
        left, top, right, bottom = np.rint(window * [10, 8, 10, 8]).astype(int)
        assert (bottom - top, right - left) == larger.shape[1:] and top <= 0 and left <= 0
        assert 8 <= bottom - top < 24 and 10 <= right - left < 30
        np.testing.assert_array_equal(larger[:, -top:8 - top, -left:10 - left], IMAGE)
        rest = np.ones(larger.shape[1:], bool)
        rest[-top:8 - top, -left:10 - left] = False
        assert (larger[:, rest] == np.array([[4], [6], [255]])).all()
        places.add((top, left))
    assert len(places) > 20


def test_boxes_in_a_larger_image():
    """Twice as large, the image in the second quarter of the width and at the top."""
    found = project(objects((0, 0, 1, 1), (0.5, 0.5, 1, 1)), np.float32([-0.5, 0, 1.5, 2]))
    assert found.boxes.tolist() == [[0.25, 0, 0.75, 0.5], [0.5, 0.25, 0.75, 0.5]]


def test_how_often_images_are_made_larger():
    param = transform("expand_param { max_expand_ratio: 3 prob: 0.25 }")
    made = Expansion(param.expand_param, param)
    larger = [made(IMAGE, np.random.default_rng(seed))[1] is not None for seed in range(400)]
    assert 60 < sum(larger) < 140


@pytest.mark.parametrize("text, words", [
    ("expand_param { max_expand_ratio: 1 }", "max_expand_ratio above 1, got 1"),
    ("expand_param { max_expand_ratio: nan }", "got nan"), ("expand_param { max_expand_ratio: inf }", "got inf"),
    ("expand_param { max_expand_ratio: 2 } mean_file: 'm'", "write mean_value, not mean_file"),
    ("expand_param { max_expand_ratio: 1e9 }", "expected at most .* in memory"),
    ("expand_param { max_expand_ratio: 2 } mean_value: [1, 2]", r"one a channel \(3\), got 2"),
    ("distort_param { hue_prob: 1 hue_delta: -1 }", "hue_delta from 0"),
])
def test_augmentations_that_cannot_be(text, words):
    with pytest.raises(BlobnetError, match=words):
        Augmentation(transform(text), [])(IMAGE, objects(), np.random.default_rng(0))


def test_bytes_only():
    with pytest.raises(DataError, match="uint8"):
        Augmentation(transform("distort_param { }"), [])(IMAGE.astype(float), objects(), np.random.default_rng(0))


def overlap(a, b):
    """Intersection, and the areas of both, in plain numbers."""
    sides = [min(a[k + 2], b[k + 2]) - max(a[k], b[k]) for k in (0, 1)]
    common = sides[0] * sides[1] if min(sides) > 0 else 0
    return common, *((box[2] - box[0]) * (box[3] - box[1]) for box in (a, b))


RULES = {"jaccard_overlap": lambda common, window, box: common / (window + box - common),
         "sample_coverage": lambda common, window, box: common / window,
         "object_coverage": lambda common, window, box: common / box}


@pytest.mark.parametrize("kind", RULES)
@pytest.mark.parametrize("bounds", ["min_{}: 0.3", "max_{}: 0.2", "min_{0}: 0.1 max_{0}: 0.5"])
def test_constraints(kind, bounds):
    rng = np.random.default_rng(1)
    corners = np.sort(rng.random((2, 60, 2, 2)), axis=2).reshape(2, 60, 4).astype(np.float32)
    windows, boxes = corners[0], corners[1, 5:6 if "max" in bounds else 7]
    constraint = parse(bounds.format(kind), "SampleConstraint")
    low = getattr(constraint, f"min_{kind}") if "min" in bounds else 0
    high = getattr(constraint, f"max_{kind}") if "max" in bounds else 1
    expected = [any(low <= RULES[kind](*overlap(window, box)) <= high for box in boxes) for window in windows.tolist()]
    assert satisfies(windows, boxes, constraint).tolist() == expected
    assert 0 < sum(expected) < 60


def test_the_first_kind_of_bounds_counts():
    both = parse("min_jaccard_overlap: 0.9 max_object_coverage: 0.1", "SampleConstraint")
    windows = np.float32([[0, 0, 1, 1], [0, 0, 0.1, 0.1]])
    assert satisfies(windows, np.float32([[0, 0, 1, 1]]), both).tolist() == [True, False]


@pytest.mark.parametrize("bounds, expected", [("", True), ("min_jaccard_overlap: 0", False)])
def test_no_box_fulfils_no_bound(bounds, expected):
    constraint = parse(bounds, "SampleConstraint")
    assert satisfies(np.float32([[0, 0, 1, 1]]), np.zeros((0, 4), np.float32), constraint).tolist() == [expected]


def test_windows_have_the_scale_and_the_shape():
    sampler = parse("min_scale: 0.3 max_scale: 0.9 min_aspect_ratio: 0.5 max_aspect_ratio: 2", "Sampler")
    windows = draw_windows(sampler, 2000, np.random.default_rng(0))
    width, height = (windows[:, 2:] - windows[:, :2]).T
    scale, ratio = np.sqrt(width * height), width / height
    assert windows.min() >= 0 and windows.max() <= 1 + 1e-6
    assert 0.3 - 1e-5 < scale.min() < 0.31 and 0.89 < scale.max() < 0.9 + 1e-5
    assert 0.5 - 1e-4 < ratio.min() < 0.52 and 1.9 < ratio.max() < 2 + 1e-4
    assert (ratio <= 1 / scale**2 + 1e-4).all() and (ratio >= scale**2 - 1e-4).all()
    assert (ratio[scale > 0.8] > 1 / scale[scale > 0.8]**2 - 1e-4).any()  # where both sides could not be kept
    assert windows[:, 0].min() < 0.01 and windows[:, 2].max() > 0.99


def test_the_whole_image_is_its_only_part_of_scale_one():
    assert sampling("max_sample: 1 max_trials: 1")(objects(), np.random.default_rng(0)).tolist() == [0, 0, 1, 1]


def test_each_sampler_finds_up_to_so_many():
    made = sampling("max_sample: 3 max_trials: 50 sampler { min_scale: 0.2 max_scale: 0.3 }",
                    "max_sample: 1 sampler { min_scale: 0.8 max_scale: 0.9 }", "use_original_image: false",
                    "max_sample: 1 sample_constraint { min_jaccard_overlap: 2 }")
    windows = np.array([made(objects(), np.random.default_rng(seed)) for seed in range(200)])
    large = (windows[:, 2] - windows[:, 0]) > 0.5
    assert 30 < large.sum() < 70  # one of four


@pytest.mark.parametrize("text", ["sample_constraint { min_jaccard_overlap: 2 }", "max_sample: 0", "max_trials: 0"])
def test_a_sampler_may_find_nothing(text):
    assert sampling(text)(objects((0, 0, 1, 1)), np.random.default_rng(0)) is None


@pytest.mark.parametrize("text, words", [
    ("sampler { min_scale: 0 }", "0 < min_scale <= max_scale <= 1 in sampler, got 0 and 1"),
    ("sampler { min_scale: nan }", "got nan and 1"), ("sampler { max_scale: 1.5 }", "got 1 and 1.5"),
    ("sampler { min_aspect_ratio: 2 }", "got 2 and 1"), ("sampler { max_aspect_ratio: inf }", "got 1 and inf"),
    ("max_trials: 4000000000", "max_trials of at most 10000, got 4000000000"),
])
def test_samplers_that_cannot_be(text, words):
    with pytest.raises(BlobnetError, match=words):
        sampling(text)


@pytest.mark.parametrize("window, part", [
    ((0, 0, 1, 1), np.s_[:, :8, :10]), ((0.25, 0.5, 0.75, 1), np.s_[:, 4:8, 2:7]),  # 2.5 to 7.5: five from 2 on
    ((0.1, 0.5, 0.69, 1), np.s_[:, 4:8, 1:6]), ((0.99, 0.99, 1, 1), np.s_[:, 7:, 9:]),
    ((0, 0, 1e-9, 1e-9), np.s_[:, :1, :1]), ((1, 1, 1, 1), np.s_[:, 7:, 9:])])
def test_parts_in_whole_pixels(window, part):
    np.testing.assert_array_equal(cut_out(IMAGE, np.float32(window)), IMAGE[part])


@pytest.mark.parametrize("emit, kept", [
    (None, [0, 1, 2]), ("", [1, 2]), ("emit_type: CENTER", [1, 2]),
    ("emit_type: MIN_OVERLAP emit_overlap: 0.2", [0, 1, 2]), ("emit_type: MIN_OVERLAP emit_overlap: 0.3", [1, 2]),
    ("emit_type: MIN_OVERLAP emit_overlap: 0.6", [2])])
def test_which_objects_stay(emit, kept):
    """In the right half: a quarter of the first, half of the second, all of the third; a fourth is outside."""
    found = project(objects((0.125, 0, 0.625, 1), (0.25, 0, 0.75, 1), (0.5, 0.5, 0.75, 1), (0, 0, 0.25, 1)),
                    np.float32([0.5, 0, 1, 1]), None if emit is None else parse(emit, "EmitConstraint"))
    assert found.labels.tolist() == kept
    boxes = [[0, 0, 0.25, 1], [0, 0, 0.5, 1], [0, 0.5, 0.5, 1]]
    assert found.boxes.tolist() == [boxes[k] for k in kept]


def test_image_and_boxes_stay_together():
    """A bright rectangle is where its box says, whatever was done to the image."""
    image = np.zeros((3, 60, 90), np.uint8)
    image[:, 20:40, 30:60] = 200
    param = transform("expand_param { max_expand_ratio: 2 } mean_value: 9 emit_constraint { }")
    made = Augmentation(param, [parse("sampler { min_scale: 0.5 max_scale: 1 }", "BatchSampler")])
    seen = 0
    for seed in range(60):
        found, own = made(image, objects((1 / 3, 1 / 3, 2 / 3, 2 / 3)), np.random.default_rng(seed))
        if len(own.boxes):
            rows, columns = np.nonzero(found[0] == 200)
            corners = np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1])
            size = np.array([found.shape[2], found.shape[1]] * 2)
            np.testing.assert_allclose(own.boxes[0] * size, corners, atol=2)  # place and size are rounded down
            seen += found.shape != image.shape
    assert seen > 30


def test_the_stream_decides():
    made = Augmentation(transform("expand_param { max_expand_ratio: 2 } distort_param { brightness_prob: 1 "
                                  "brightness_delta: 9 }"), [new("BatchSampler", sampler={"min_scale": 0.5})])
    one, two, three = (made(IMAGE, objects((0, 0, 1, 1)), np.random.default_rng(seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one[0], two[0])
    np.testing.assert_array_equal(one[1].boxes, two[1].boxes)
    assert one[0].shape != three[0].shape or (one[0] != three[0]).any()


CORNER = st.floats(width=32, allow_nan=False, allow_infinity=False)
MODES, EMITS = ["WARP", "FIT_SMALL_SIZE", "FIT_LARGE_SIZE_AND_PAD"], ["CENTER", "MIN_OVERLAP"]
KINDS = ["jaccard_overlap", "sample_coverage", "object_coverage"]


@given(st.lists(st.tuples(CORNER, CORNER, CORNER, CORNER), max_size=4), st.integers(0, 9), st.sampled_from(KINDS),
       st.sampled_from(MODES), st.sampled_from(EMITS))
def test_whatever_the_boxes_are_they_end_inside(boxes, seed, kind, mode, emit):
    param = transform(f"expand_param {{ max_expand_ratio: 2 }} emit_constraint {{ emit_type: {emit} }}")
    sampler = f"sampler {{ min_scale: 0.3 }} sample_constraint {{ min_{kind}: 0.1 }}"
    image, found = Augmentation(param, [parse(sampler, "BatchSampler")])(IMAGE, objects(*boxes),
                                                                         np.random.default_rng(seed))
    resizer = Resizer(parse(f"resize_mode: {mode} height: 7 width: 9", "ResizeParameter"))
    for moved in (objects(*boxes), found):
        moved = moved.moved(resizer.boxes(moved.boxes, image.shape[1:]))
        inside = project(moved, np.float32([0.1, 0, 0.7, 1]), param.emit_constraint).mirrored().boxes
        assert ((inside >= 0) & (inside <= 1)).all() and (inside[:, 2:] >= inside[:, :2]).all()
