"""Images and label images, cut and mirrored alike."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from blobnet.data.images.pair_transformer import PairTransformer
from blobnet.data.images.resize import resize
from blobnet.data.images.transformer import Transformer
from blobnet.errors import DataError, ShapeError
from blobnet.proto.messages import new

RNG = np.random.default_rng(4)
SIZES = [(9, 13), (12, 8), (10, 10)]
IMAGES = [RNG.integers(0, 256, (3, *size), np.uint8) for size in SIZES]
LABELS = [np.arange(size[0] * size[1], dtype=np.uint8).reshape(1, *size) for size in SIZES]  # each pixel has its own
PAIRS = list(zip(IMAGES, LABELS))
FILL = 255


def transform(pairs, crop, seed=0, mean=(), scale=1.0, dtype=np.float32, **options):
    plain = Transformer(new("TransformationParameter", mean_value=mean, scale=scale), False)
    transformer = PairTransformer(plain, crop, **options)
    shape = transformer.output_shape(pairs[0][0].shape)
    data, labels = np.full((len(pairs), *shape), np.nan, dtype), np.full((len(pairs), 1, *shape[1:]), np.nan, dtype)
    transformer(pairs, data, labels, np.random.default_rng(seed))
    return data, labels


def nearest(labels, height, width):
    """As a textbook writes it."""
    out = np.empty((1, height, width), labels.dtype)
    for i, j in product(range(height), range(width)):
        out[0, i, j] = labels[0, i * labels.shape[1] // height, j * labels.shape[2] // width]
    return out


def candidates(image, labels, crop, factors, mean):
    """All that may come out of a pair: (factor, top, left, flip) and the two arrays."""
    for factor in factors:
        height, width = (int(side * factor) for side in image.shape[1:])
        scaled = resize(image, height, width).astype(float) - np.reshape(mean, (-1, 1, 1))
        classes = nearest(labels, height, width).astype(float)
        room = max(crop[0] - height, 0), max(crop[1] - width, 0)
        scaled = np.pad(scaled, ((0, 0), (0, room[0]), (0, room[1])))
        classes = np.pad(classes, ((0, 0), (0, room[0]), (0, room[1])), constant_values=FILL)
        for y, x in product(range(scaled.shape[1] - crop[0] + 1), range(scaled.shape[2] - crop[1] + 1)):
            window = np.s_[:, y:y + crop[0], x:x + crop[1]]
            yield (factor, y, x, 0), scaled[window], classes[window]
            yield (factor, y, x, 1), scaled[window][:, :, ::-1], classes[window][:, :, ::-1]


@pytest.mark.parametrize("crop, factors", [((7, 6), [1]), ((11, 9), [0.5, 1, 1.5]), ((20, 5), [2, 0.75])])
def test_image_and_labels_have_the_same_factor_place_and_mirror(crop, factors):
    mean, seen = (10, 20.5, 30), set()
    for seed in range(30):
        data, labels = transform(PAIRS, crop, seed, mean, mirror=True, random_crop=True, scale_factors=factors,
                                 fill=FILL)
        for i, (image, classes) in enumerate(PAIRS):
            found = [place for place, x, y in candidates(image, classes, crop, factors, mean)
                     if np.array_equal(y, labels[i]) and np.array_equal(x.astype(np.float32), data[i])]
            assert found
            seen.update((i, *place) for place in found)
    assert {place[1] for place in seen} == set(factors) and {place[4] for place in seen} == {0, 1}
    assert len(seen) > 20  # drawn for every image by itself


def test_middle_and_scale():
    data, labels = transform(PAIRS[:1], (4, 5), mean=(3,), scale=0.5, dtype=np.float64)
    np.testing.assert_array_equal(data[0], (IMAGES[0][:, 2:6, 4:9] - 3.0) / 2)
    np.testing.assert_array_equal(labels[0], LABELS[0][:, 2:6, 4:9])


def test_padding_is_the_mean_and_the_fill():
    data, labels = transform(PAIRS[:1], (11, 15), mean=(1.3, 2.7, 3.1), scale=7, fill=9)
    assert not data[0, :, 9:].any() and not data[0, :, :, 13:].any()
    assert (labels[0, :, 9:] == 9).all() and (labels[0, :, :, 13:] == 9).all()
    np.testing.assert_array_equal(labels[0, :, :9, :13], LABELS[0])


def test_without_a_crop():
    data, labels = transform(PAIRS[:1], None)
    np.testing.assert_array_equal(data[0], IMAGES[0])
    np.testing.assert_array_equal(labels[0], LABELS[0])
    with pytest.raises(ShapeError, match=r"all images of a batch as the first, \(3, 9, 13\), got \(3, 12, 8\)"):
        transform(PAIRS[:2], None)


def test_errors():
    with pytest.raises(ShapeError, match="images of at least 10 x 10 .the crop., got 9 x 13"):
        transform(PAIRS, (10, 10))
    with pytest.raises(ShapeError, match="at least 9 x 9 .the crop., got 12 x 8"):
        transform(PAIRS, (9, 9))
    with pytest.raises(ShapeError, match="at least one pixel"):
        transform(PAIRS, (4, 4), fill=0, scale_factors=[0.01])
    with pytest.raises(DataError, match="an image resized by 100000, expected at most"):
        transform(PAIRS, (4, 4), fill=0, scale_factors=[1e5])
