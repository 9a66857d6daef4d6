"""Drawn images of shapes: the boxes are those of what was drawn."""

from __future__ import annotations

import numpy as np
import pytest

from blobnet.data.sets.shapes import CLASSES, draw_masks, draw_shapes
from blobnet.errors import DataError


def forms(image, boxes):
    """Which pixels of its box belong to each shape: those that look as the one in the middle."""
    for box in boxes:
        part = image[box.ymin:box.ymax, box.xmin:box.xmax].astype(int)
        yield (part == part[part.shape[0] // 2, part.shape[1] // 2]).all(axis=2)


@pytest.mark.parametrize("size", [32, 33, 40, 97])
def test_shapes_touch_the_sides_of_their_boxes_and_are_nowhere_else(size):
    (images, boxes), masks = draw_shapes(60, size, 5), draw_masks(60, size, 5)
    assert images.shape == (60, size, size, 3) and images.dtype == np.uint8
    assert {box.label for found in boxes for box in found} == {1, 2, 3} == set(range(1, len(CLASSES) + 1))
    for image, mask, found in zip(images, masks, boxes, strict=True):
        assert 1 <= len(found) <= 3
        ground = np.ones((size, size), bool)
        for box, form in zip(found, forms(image, found), strict=True):
            assert form[0].any() and form[-1].any() and form[:, 0].any() and form[:, -1].any()
            assert size / 5 <= min(form.shape) and max(form.shape) <= size / 2
            shares = {1: (0.7, 0.92), 2: (1, 1), 3: (0.45, 0.7)}[box.label]
            assert shares[0] <= form.mean() <= shares[1]
            assert ground[box.ymin:box.ymax, box.xmin:box.xmax].all()
            ground[box.ymin:box.ymax, box.xmin:box.xmax] &= ~form
            assert (mask[box.ymin:box.ymax, box.xmin:box.xmax] == box.label * form).all()
        assert image[ground].max() < 100 and not mask[ground].any()
        assert (image[~ground].max(axis=-1) >= 190).all()


def test_an_image_depends_on_size_seed_and_number_alone():
    images, boxes = draw_shapes(5, 32, 1)
    again, boxes_again = draw_shapes(3, 32, 1)
    assert np.array_equal(images[:3], again) and boxes[:3] == boxes_again
    assert len({image.tobytes() for image in images}) == 5
    assert not np.array_equal(draw_shapes(3, 32, 2)[0], again)
    assert draw_shapes(0, 32, 0)[1] == []


@pytest.mark.parametrize("arguments", [(1, 31, 0), (-1, 40, 0), (1, 40, -1)])
def test_what_cannot_be_drawn(arguments):
    with pytest.raises(DataError, match="drawn shapes: expected size of at least 32"):
        draw_shapes(*arguments)
