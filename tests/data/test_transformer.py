"""Transformer against a reference that goes pixel by pixel."""

from __future__ import annotations

import numpy as np
import pytest

from blobnet.data.images.interpolation import resize_by
from blobnet.data.images.mean import mean_image, read_mean
from blobnet.data.images.transformer import Transformer
from blobnet.errors import DataError, NetError, ShapeError
from blobnet.proto.blobs import write_blob
from blobnet.proto.messages import new

N, C, H, W = 40, 3, 9, 8
RNG = np.random.default_rng(5)
IMAGES = RNG.integers(0, 256, (N, C, H, W), np.uint8)
MEAN = RNG.uniform(0, 255, (C, H, W)).astype(np.float32)
f32 = np.float32


@pytest.fixture
def mean_file(tmp_path):
    write_blob(tmp_path / "mean.binaryproto", MEAN)
    return str(tmp_path / "mean.binaryproto")


def transform(images, shape=None, random_crop=False, seed=0, dtype=np.float32, **options):
    transformer = Transformer(new("TransformationParameter", **options), random_crop)
    shape = shape or transformer.output_shape(images[0].shape)
    out = np.full((len(images), *shape), np.nan, dtype)
    transformer(images, out, np.random.default_rng(seed))
    return out


def reference(image, y, x, flip, size, scale=1.0, mean=None):
    """One image in plain loops; `mean` is asked for each source pixel."""
    out = np.empty((C, *size), np.float32)
    for c in range(C):
        for i in range(size[0]):
            for j in range(size[1]):
                value = f32(image[c, y + i, x + j])
                if mean is not None:
                    value = f32(value - mean[c, y + i, x + j])
                out[c, i, size[1] - 1 - j if flip else j] = f32(value * f32(scale))
    return out


def find(image, target, size, mean, scale=1.0):
    """All (y, x, flip) that explain `target`."""
    places = [(y, x, flip) for y in range(H - size[0] + 1) for x in range(W - size[1] + 1) for flip in (False, True)]
    return [place for place in places if np.array_equal(reference(image, *place, size, scale, mean), target)]


@pytest.mark.parametrize("options, mean", [
    ({}, None), ({"scale": 0.00390625}, None), ({"scale": 0.017}, None),
    ({"mean_value": [104.0]}, np.full((C, H, W), 104, f32)),
    ({"mean_value": [104.3, 117.1, 123], "scale": 0.3}, np.repeat(f32([104.3, 117.1, 123]), H * W).reshape(C, H, W)),
    ({"mean_file": True, "scale": 0.0125}, MEAN)])
@pytest.mark.parametrize("crop", [0, 4, 8])
def test_fixed(options, mean, crop, mean_file):
    if "mean_file" in options:
        options = {**options, "mean_file": mean_file}
    out = transform(IMAGES[:3], crop_size=crop, **options)
    size = (crop, crop) if crop else (H, W)
    y, x = ((H - crop) // 2, (W - crop) // 2) if crop else (0, 0)
    for image, target in zip(IMAGES, out):
        np.testing.assert_array_equal(target, reference(image, y, x, False, size, options.get("scale", 1), mean))


def test_random_crop_and_mirror(mean_file):
    out = transform(IMAGES, random_crop=True, crop_size=6, mirror=True, mean_file=mean_file, scale=0.5)
    found = [find(image, target, (6, 6), MEAN, 0.5) for image, target in zip(IMAGES, out)]
    assert all(len(places) == 1 for places in found)
    rows, columns, flips = map(set, zip(*(places[0] for places in found)))
    assert rows == {0, 1, 2, 3} and columns == {0, 1, 2} and flips == {False, True}


@pytest.mark.parametrize("random_crop", [False, True])
def test_mirror_is_random_in_both_phases(random_crop):
    out = transform(IMAGES, random_crop=random_crop, mirror=True)
    flipped = [np.array_equal(target, image[:, :, ::-1]) for image, target in zip(IMAGES, out)]
    straight = [np.array_equal(target, image) for image, target in zip(IMAGES, out)]
    assert all(a != b for a, b in zip(flipped, straight)) and 8 < sum(flipped) < 32


def test_same_stream_same_result():
    options = {"random_crop": True, "crop_size": 5, "mirror": True}
    first, again, other = (transform(IMAGES, seed=seed, **options) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_images_of_different_sizes_are_cropped_to_one():
    images = [IMAGES[0], IMAGES[1][:, :6, :7], IMAGES[2][:, :5, :5]]
    out = transform(images, crop_size=5)
    for image, target, (y, x) in zip(images, out, [(2, 1), (0, 1), (0, 0)]):
        np.testing.assert_array_equal(target, image[:, y:y + 5, x:x + 5])


def test_float_images_and_double_arithmetic():
    images = [np.full((1, 2, 2), 0.1, np.float32)]
    out = transform(images, dtype=np.float64, mean_value=[0.25], scale=0.1)
    assert out.dtype == np.float64
    np.testing.assert_array_equal(out, np.full((1, 1, 2, 2), (float(f32(0.1)) - 0.25) * float(f32(0.1))))


@pytest.mark.parametrize("interpolation", [[], ["LINEAR"]])
def test_images_are_resized_before_all_else(interpolation):
    """Every second pixel of a row between its neighbours, and then crop, mean and scale as of images of this size."""
    ramp = np.broadcast_to(np.array([0, 100, 200], np.uint8), (1, 3, 3))
    doubled = np.broadcast_to(f32([0, 25, 75, 125, 175, 200]), (1, 1, 3, 6))
    options = {"resize_param": {"height": 3, "width": 6, "resize_mode": "WARP", "interp_mode": interpolation}}
    np.testing.assert_array_equal(transform([ramp], **options), doubled)
    np.testing.assert_array_equal(transform([ramp], crop_size=2, mean_value=[25], scale=2, **options),
                                  2 * (doubled[:, :, :2, 2:4] - 25))


def test_images_of_different_sizes_are_resized_to_one():
    out = transform([np.full(shape, i, np.uint8) for i, shape in enumerate([(2, 3, 4), (2, 5, 2), (2, 4, 4)])],
                    resize_param={"height": 4, "width": 4})
    np.testing.assert_array_equal(out, np.broadcast_to(np.arange(3).reshape(3, 1, 1, 1), (3, 2, 4, 4)))


def test_float_images_are_not_resized():
    with pytest.raises(DataError, match="transform_param: expected uint8 images to resize or .*, got float32"):
        transform([np.zeros((1, 2, 2), f32)], resize_param={"height": 4, "width": 4})


@pytest.mark.parametrize("random_crop", [False, True])
def test_crops_need_not_be_square(random_crop):
    out = transform(IMAGES, crop_h=3, crop_w=6, random_crop=random_crop)
    assert out.shape == (len(IMAGES), 3, 3, 6)
    for image, cut in zip(IMAGES, out):
        places = [(y, x) for y in range(H - 2) for x in range(W - 5) if (image[:, y:y + 3, x:x + 6] == cut).all()]
        assert places and (random_crop or ((H - 3) // 2, (W - 6) // 2) in places)


def test_shorter_sides_of_random_length():
    """A ramp of 8 rows tells by its last row how high an image was before the crop in its middle."""
    ramp = np.broadcast_to(np.arange(0, 240, 30, dtype=np.uint8)[:, None], (1, 8, 16))
    heights = set()
    for seed in range(30):
        shaped = transform([ramp], crop_size=2, random_resize_param={"min_size": 5, "max_size": 7,
                           "resize_param": {"interp_mode": ["NEAREST"]}}, seed=seed)
        top, bottom = shaped[0, 0, :, 0] / 30
        rows = {size: [int((size - 2) // 2 * 8 / size), int(((size - 2) // 2 + 1) * 8 / size)] for size in (5, 6, 7)}
        heights |= {size for size, places in rows.items() if places == [top, bottom]}
        assert [top, bottom] in rows.values()
    assert heights == {5, 6, 7}


def stretched(images, **options):
    """Heights and widths of images before the crop, by 60 seeds."""
    transformer = Transformer(new("TransformationParameter", crop_size=2, **options), False)
    return np.array([transformer.shaper(images, np.random.default_rng(seed)).shape[1:] for seed in range(60)])


def test_sides_of_random_length_as_in_nvidias_fork():
    image = np.zeros((1, 40, 60), np.uint8)
    height, width = stretched(image, img_rand_resize_lower=20, img_rand_resize_upper=30).T
    assert set(height) == set(range(20, 31)) and (np.abs(width - 1.5 * height) <= 0.5).all()
    height, width = stretched(image, rand_resize_ratio_lower=1, rand_resize_ratio_upper=1.25).T
    assert set(height) == {40} and width.min() < 43 and 47 < width.max() <= 50
    height, width = stretched(image, vertical_stretch_lower=0.5, horizontal_stretch_upper=2).T
    assert 20 <= height.min() < 24 and 36 < height.max() <= 40 and set(width) == {60}  # no side becomes longer
    height, width = stretched(image, horizontal_stretch_upper=2, allow_upscale=True).T
    assert set(height) == {40} and 60 <= width.min() < 66 and 114 < width.max() <= 120
    assert (stretched(image, img_rand_resize_lower=1, img_rand_resize_upper=1) >= 2).all()  # nor shorter than the crop


def test_a_square_is_stretched_either_way():
    sizes = stretched(np.zeros((1, 20, 20), np.uint8), rand_resize_ratio_lower=1.5, rand_resize_ratio_upper=2,
                      img_rand_resize_lower=9, img_rand_resize_upper=9)
    assert {tuple(size > 9) for size in sizes} == {(True, False), (False, True)}


def test_interpolation_when_images_shrink_and_grow():
    for side, allow, way in ((5, False, "AREA"), (12, True, "LINEAR")):
        shaped = Transformer(new("TransformationParameter", crop_size=2, img_rand_resize_lower=side,
                                 img_rand_resize_upper=side, allow_upscale=allow, interpolation_algo_down="INTER_AREA",
                                 interpolation_algo_up="INTER_LINEAR"), False).shaper(
                                     IMAGES[0, :, :8], np.random.default_rng(0))
        np.testing.assert_array_equal(shaped, resize_by(IMAGES[0, :, :8], side, side, way))


def test_crops_may_always_lie_in_the_centre():
    np.testing.assert_array_equal(transform(IMAGES, crop_size=4, random_crop=True, center_crop=True),
                                  transform(IMAGES, crop_size=4))


def test_parts_of_random_shape():
    """Every part is of columns that follow each other, a quarter of the area or more, and becomes a square."""
    ramp = np.broadcast_to(np.arange(0, 256, 8, dtype=np.uint8), (1, 32, 32))
    widths = set()
    for seed in range(40):
        part = transform([ramp], crop_size=16, random_aspect_ratio_param={
            "min_area_ratio": 0.25, "aspect_ratio_change": 0.5}, seed=seed)
        steps = np.diff(part[0, 0, 0])
        assert (steps >= 0).all() and part.shape == (1, 1, 16, 16)
        widths.add(round(float(part[0, 0, 0, -1] - part[0, 0, 0, 0]) / 8))
    assert len(widths) > 5 and min(widths) >= 6


def test_input_is_untouched():
    before = IMAGES.copy()
    transform(IMAGES, mirror=True, mean_value=[9.0], scale=2.0)
    transform(IMAGES, mean_value=[9.0], resize_param={"height": H, "width": W})
    np.testing.assert_array_equal(IMAGES, before)


@pytest.mark.parametrize("options, error, message", [
    ({"mean_file": "x", "mean_value": [1.0]}, NetError, "mean_file and mean_value"),
    ({"force_color": True, "force_gray": True}, NetError, "force_color and force_gray"),
    ({"mean_file": "nothing.binaryproto"}, DataError, "no such file"),
    ({"mean_value": [1.0, 2.0]}, ShapeError, r"one a channel \(3\), got 2"),
    ({"resize_param": {"height": 4, "width": 4, "pad_value": [256.0]}}, NetError, r"from 0 to 255, got \[256.0\]"),
    ({"resize_param": {"height": 4, "width": 9, "resize_mode": 3, "pad_value": [1, 2]}}, ShapeError,
     r"one pad_value or one a channel \(3\), got 2"),
    ({"crop_h": 3}, NetError, "crop_h and crop_w, or neither, got 3 and 0"),
    ({"crop_h": 9, "crop_w": 9}, ShapeError, "at least 9 x 9"),
    ({"random_resize_param": {}}, NetError, "crop_size above 0 with sizes at random, got 0"),
    ({"img_rand_resize_lower": 5, "img_rand_resize_upper": 4}, NetError, "img_rand_resize_upper, got 5 and 4"),
    ({"vertical_stretch_lower": -1}, NetError, "vertical_stretch_upper, got -1 and 1"),
    ({"crop_size": 4, "horizontal_stretch_lower": 0.25, "img_rand_resize_lower": 1 << 31, "img_rand_resize_upper":
      1 << 31, "allow_upscale": True}, DataError, "an image of .* expected at most"),
    ({"crop_size": 2, "random_resize_param": {"min_size": 5, "max_size": 4}}, NetError, "min_size .*, got 5 and 4"),
    ({"crop_size": 2, "random_resize_param": {"max_size": 4}}, DataError, r"at most 4 pixels \(max_size\) .* got 8"),
    ({"crop_size": 2, "random_aspect_ratio_param": {"min_area_ratio": 2}}, NetError, "max_area_ratio <= 1, got 2 and"),
    ({"crop_size": 2, "random_aspect_ratio_param": {"aspect_ratio_change": 0}}, NetError, "above 0, up to 1, got 0"),
    ({"resize_param": {"height": 4}}, NetError, "height and width above 0 in resize_param, got 4 x 0"),
    ({"resize_param": {"height": 5, "width": 4}, "crop_size": 5}, ShapeError, "at least 5 x 5 .*, got 5 x 4"),
    ({"crop_size": 9}, ShapeError, r"at least 9 x 9 \(crop_size\), got 9 x 8")])
def test_errors(options, error, message):
    with pytest.raises(error, match=message):
        transform(IMAGES, random_crop=True, **options)


def test_mean_of_another_shape(mean_file):
    with pytest.raises(ShapeError, match=r"\(3, 9, 8\), got \(3, 7, 8\)"):
        transform(IMAGES[:, :, :7], mean_file=mean_file)


def test_different_sizes_without_crop():
    with pytest.raises(ShapeError, match=r"\(3, 9, 8\), got \(3, 9, 5\); set crop_size"):
        transform([IMAGES[0], IMAGES[1][:, :, :5]])


def test_too_small_after_the_first():
    with pytest.raises(ShapeError, match="at least 5 x 5"):
        transform([IMAGES[0], IMAGES[1][:, :4]], crop_size=5, random_crop=True)


# Means.

def test_mean_image(tmp_path):
    blocks = [IMAGES[:13], IMAGES[13:]]
    mean = mean_image(iter(blocks))
    np.testing.assert_allclose(mean, IMAGES.astype(float).mean(axis=0), rtol=1e-6)
    write_blob(tmp_path / "mean.binaryproto", mean)
    np.testing.assert_array_equal(read_mean(tmp_path / "mean.binaryproto"), mean)


def test_mean_of_nothing():
    with pytest.raises(DataError, match="at least one image"):
        mean_image([])


def test_mean_file_of_several_images(tmp_path):
    write_blob(tmp_path / "mean.binaryproto", np.zeros((2, 3, 4, 4), np.float32))
    with pytest.raises(DataError, match=r"one image .*\(2, 3, 4, 4\)"):
        read_mean(tmp_path / "mean.binaryproto")
