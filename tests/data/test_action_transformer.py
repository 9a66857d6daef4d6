"""Crops of several sizes and at corners, as TSN cuts frames."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from blobnet.data.images.action_transformer import ActionTransformer
from blobnet.data.images.resize import resize
from blobnet.errors import NetError, ShapeError
from blobnet.proto.messages import new

IMAGE = np.random.default_rng(5).integers(0, 256, (4, 20, 27), np.uint8)
QUARTERS = [(0, 0), (0, 4), (4, 0), (4, 4), (2, 2), (0, 2), (4, 2), (2, 0), (2, 4), (1, 1), (1, 3), (3, 1), (3, 3)]


def transform(times=300, random=True, images=(IMAGE,), **options):
    """What comes out in so many runs, without what came before."""
    transformer, seen = ActionTransformer(new("TransformationParameter", **options), random), {}
    out = np.empty((len(images), *transformer.output_shape(images[0].shape)), np.float32)
    for seed in range(times):
        transformer(images, out, np.random.default_rng(seed))
        seen.setdefault(out.tobytes(), out[0].copy())
    return list(seen.values())


def places(sides, fixed=None):
    """Windows of these sizes that the image has, at all places or at some."""
    for height, width in sides:
        room = 20 - height, 27 - width
        for y, x in ([(room[0] // 4 * i, room[1] // 4 * j) for i, j in fixed] if fixed
                     else product(range(room[0] + 1), range(room[1] + 1))):
            yield IMAGE[:, y:y + height, x:x + width]


def same(found, wanted):
    return {x.tobytes() for x in found} == {np.ascontiguousarray(x, np.float32).tobytes() for x in wanted}


def test_middle_in_test():
    assert same(transform(5, False, crop_size=8, multi_scale=True, fix_crop=True), [IMAGE[:, 6:14, 9:17]])
    assert same(transform(5), [IMAGE])


def test_five_and_thirteen_places():
    assert same(transform(crop_size=7, fix_crop=True), places([(7, 7)], QUARTERS[:5]))
    assert same(transform(crop_size=7, fix_crop=True, more_fix_crop=True), places([(7, 7)], QUARTERS))
    assert same(transform(3000, crop_size=17), places([(17, 17)]))


def test_sides_from_the_ratios():
    """0.9 of 20 is 18; 0.65 is 13, which is within 2 of 12."""
    ratios, pairs = [1, 0.9, 0.65], [(20, 20), (20, 18), (18, 20), (18, 18), (18, 12), (12, 18), (12, 12)]
    found = transform(crop_size=12, fix_crop=True, multi_scale=True, scale_ratios=ratios)
    assert same(found, [resize(part, 12, 12) for part in places(pairs, QUARTERS[:5])])
    found = transform(crop_size=12, fix_crop=True, multi_scale=True, scale_ratios=ratios, max_distort=0)
    assert same(found, [resize(part, 12, 12) for part in places([(20, 20), (18, 18), (12, 12)], QUARTERS[:5])])


def test_ratios_that_are_not_given():
    found = transform(2000, crop_size=4, fix_crop=True, multi_scale=True, max_distort=9)
    sides = product([20, 17, 15, 13], repeat=2)
    assert same(found, [resize(part, 4, 4) for part in places(sides, QUARTERS[:5])])


def test_mirrored_flow_turns_round_in_x():
    flow = IMAGE[:, :, ::-1].astype(float)
    flow[::2] = 255 - flow[::2]
    assert same(transform(30, mirror=True, is_flow=True), [IMAGE, flow])
    assert same(transform(30, mirror=True), [IMAGE, IMAGE[:, :, ::-1]])
    assert same(transform(30, is_flow=True), [IMAGE])


def test_means_come_again():
    wanted = (IMAGE - np.reshape([10.0, 20, 10, 20], (4, 1, 1))) / 4
    assert same(transform(1, mean_value=[10, 20], scale=0.25), [wanted])
    assert same(transform(1, mean_value=[7]), [IMAGE - 7.0])


def test_each_image_has_a_crop_of_its_own():
    transformer = ActionTransformer(new("TransformationParameter", crop_size=5), True)
    out = np.empty((8, 4, 5, 5), np.float32)
    transformer([IMAGE] * 8, out, np.random.default_rng(0))
    assert len({x.tobytes() for x in out}) > 3


@pytest.mark.parametrize("options, message", [
    ({"mean_file": "x"}, "mean_file does not go with snippets of films; write mean_value"),
    ({"resize_param": {"height": 3}}, "resize_param does not go"),
    ({"scale_ratios": [0.5, 0]}, "expected scale_ratios above 0, at most 1, got 0.5, 0"),
    ({"scale_ratios": [1.01]}, "got 1.01"), ({"scale_ratios": [float("nan")]}, "got nan"),
    ({"multi_scale": True}, "crop_size and a max_distort of at least 0 beside multi_scale, got 0 and 1"),
    ({"multi_scale": True, "crop_size": 3, "max_distort": -1}, "got 3 and -1")])
def test_options(options, message):
    with pytest.raises(NetError, match=message):
        transform(1, **options)


def test_images_that_do_not_fit():
    with pytest.raises(ShapeError, match="at least 21 x 21 .crop_size., got 20 x 27"):
        transform(1, crop_size=21)
    with pytest.raises(ShapeError, match="mean_value as often as divides the 4 channels, got 3"):
        transform(1, mean_value=[1, 2, 3])
    with pytest.raises(ShapeError, match="images of at least 6 x 6 .crop_size., got 5 x 27"):
        transform(1, crop_size=6, images=[IMAGE, IMAGE[:, :5]])
    with pytest.raises(ShapeError, match="all images of a batch as the first"):
        transform(1, images=[IMAGE, IMAGE[:, :5]])
