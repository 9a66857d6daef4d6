"""Images with boxes: records, batches, and the boxes in what was done to the images."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from blobnet.backend import random_stream
from blobnet.data.batches.annotated import AnnotatedBatches
from blobnet.data.images.augmentation import Augmentation
from blobnet.data.images.encode import encode_image
from blobnet.data.images.objects import Objects, project
from blobnet.data.images.sampling import Jitter
from blobnet.data.images.transformer import Transformer
from blobnet.data.stores.annotated_datum import (
    annotated_datum,
    objects_of,
    parse_annotated_datum,
    write_annotated,
)
from blobnet.data.stores.database import open_database
from blobnet.data.stores.datum import array_to_datum
from blobnet.data.stores.lmdb_writer import LmdbWriter
from blobnet.errors import DataError, NetError
from blobnet.proto.messages import new
from blobnet.proto.text import parse

RAMP = np.arange(4 * 8 * 3, dtype=np.uint8).reshape(4, 8, 3)
BOXES = [(3, 0.125, 0.25, 0.5, 1), (1, 0.5, 0.5, 0.75, 0.75, 1), (3, 0, 0, 1, 1)]
ROWS = [(3, 0, 0.125, 0.25, 0.5, 1, 0), (3, 1, 0, 0, 1, 1, 0), (1, 0, 0.5, 0.5, 0.75, 0.75, 1)]  # by class


def objects(*boxes):
    count = len(boxes)
    return Objects(np.arange(count), np.zeros(count, int), np.array(boxes, np.float32).reshape(-1, 4),
                   np.zeros(count, bool))


def batches(folder, images, transform="", size=2, seed=5, boxed=False, random_crop=False, **more):
    """Batches of a new database of these images."""
    if not (folder / "db").exists():
        write_annotated(folder / "db", images)
    transformer = Transformer(parse(transform, "TransformationParameter"), random_crop)
    return AnnotatedBatches(open_database(folder / "db"), transformer, size,
                            random=lambda *key: random_stream(seed, *key), boxed=boxed, **more)


@given(st.lists(st.tuples(st.integers(-2**31 + 1, 2**31 - 1), *[st.floats(width=32, allow_nan=False,
                                                                         allow_infinity=False)] * 4, st.booleans())))
def test_boxes_survive_the_wire(boxes):
    record = annotated_datum(array_to_datum(np.zeros((3, 1, 1), np.uint8)), boxes)
    found = objects_of(parse_annotated_datum(record.SerializeToString()))
    groups = list(dict.fromkeys(box[0] for box in boxes))  # classes in the order in which they come
    expected = sorted(boxes, key=lambda box: groups.index(box[0]))
    assert found.labels.tolist() == [box[0] for box in expected]
    assert found.boxes.tolist() == [list(box[1:5]) for box in expected]
    assert found.difficult.tolist() == [box[5] for box in expected]
    assert len(set(zip(found.labels.tolist(), found.instances.tolist()))) == len(boxes)


@pytest.mark.parametrize("encoded", [False, True])
def test_a_database_is_read_again(tmp_path, encoded):
    image = encode_image(RAMP.transpose(2, 0, 1), "png") if encoded else RAMP
    data, rows = batches(tmp_path, [(image, BOXES), (image, [])], size=3)(0)
    np.testing.assert_array_equal(data, np.broadcast_to(RAMP.transpose(2, 0, 1), (3, 3, 4, 8)))
    np.testing.assert_array_equal(rows[0, 0], np.float32([[0, *row] for row in ROWS] + [[2, *row] for row in ROWS]))


@pytest.mark.parametrize("listed, kept", [("all", [0, 2, 1]), ("easy", [0, 2])])
def test_boxes_in_lists(tmp_path, listed, kept):
    made = batches(tmp_path, [(RAMP, BOXES), (RAMP, [])], listed=listed)
    lists = made(0)[1]
    assert [lists.shape] == made.shapes()[1:] == [(2, 1, 300, 5)]
    whole = [(2, 0.3125, 0.625, 0.375, 0.75), (0, 0.625, 0.625, 0.25, 0.25), (2, 0.5, 0.5, 1, 1)]
    np.testing.assert_array_equal(lists[0, 0, :len(kept)], [whole[k] for k in kept])
    assert not lists[0, 0, len(kept):].any() and not lists[1].any()


def test_more_boxes_than_a_list_holds(tmp_path):
    with pytest.raises(DataError, match="expected up to 300 boxes an image, got 301"):
        batches(tmp_path, [(RAMP, [(1, 0, 0, 1, 1)] * 301)], size=1, listed="all")(0)


@pytest.mark.parametrize("shape", [False, True])
def test_jitter_cuts_parts(shape):
    windows = [Jitter(0.4, shape)(objects(), np.random.default_rng(n)) for n in range(400)]
    assert 50 < sum(window is None for window in windows) < 110
    windows = np.array([window for window in windows if window is not None])
    lacking = 1 - (windows[:, 2:] - windows[:, :2])
    assert (windows >= 0).all() and (windows <= 1).all() and 0.38 < lacking.max() <= 0.4001 and lacking.min() < 0.02
    assert shape == np.allclose(lacking[:, 0], lacking[:, 1])


@pytest.mark.parametrize("most", [-0.1, 1, np.nan])
def test_jitter_that_cannot_be(most):
    with pytest.raises(NetError, match="expected yolo_data_jitter in .0, 1."):
        Jitter(most, False)


def test_rows_of_a_batch_without_objects(tmp_path):
    made = batches(tmp_path, [(RAMP, []), (RAMP, []), (RAMP, BOXES)], size=1)
    assert made.shapes() == [(1, 3, 4, 8), (1, 1, 1, 8)]
    shapes = []
    for n in range(4):
        rows = made(n)[1]
        shapes.append(rows.shape)
        assert (rows == -1).all() == (n != 2)
    assert shapes == [(1, 1, 1, 8), (1, 1, 1, 8), (1, 1, 3, 8), (1, 1, 1, 8)]


def test_boxes_are_mirrored_with_their_image(tmp_path):
    made = batches(tmp_path, [(RAMP, BOXES)], "mirror: true", size=8)
    data, rows = made(0)
    flips = [bool(image[0, 0, 0] > image[0, 0, -1]) for image in data]
    assert 0 < sum(flips) < 8
    for i, flip in enumerate(flips):
        own = rows[0, 0, rows[0, 0, :, 0] == i]
        expected = [(0.5, 0.25, 0.875, 1), (0, 0, 1, 1), (0.25, 0.5, 0.5, 0.75)] if flip else [row[2:6] for row in ROWS]
        np.testing.assert_array_equal(own[:, 3:7], np.float32(expected))


def test_boxes_are_clipped_by_the_crop_in_the_middle(tmp_path):
    """Of 8 x 4 pixels the columns 3 and 4 and the rows 1 and 2 are left: x from 3/8 to 5/8, y from 1/4 to 3/4."""
    data, rows = batches(tmp_path, [(RAMP, BOXES)], "crop_size: 2", size=1)(0)
    np.testing.assert_array_equal(data[0], RAMP.transpose(2, 0, 1)[:, 1:3, 3:5])
    np.testing.assert_array_equal(rows[0, 0], np.float32(
        [(0, 3, 0, 0, 0, 0.5, 1, 0), (0, 3, 1, 0, 0, 1, 1, 0), (0, 1, 0, 0.5, 0.5, 1, 1, 1)]))


def test_warped_boxes_stay_the_parts_that_they_were(tmp_path):
    data, rows = batches(tmp_path, [(RAMP, BOXES)], "resize_param { height: 16 width: 2 }", size=1)(0)
    assert data.shape == (1, 3, 16, 2)
    np.testing.assert_array_equal(rows[0, 0, :, 3:7], np.float32([row[2:6] for row in ROWS]))


@pytest.mark.parametrize("box, window, expected", [
    ((0.25, 0.25, 0.75, 0.75), (0.5, 0.5, 1, 1), (0, 0, 0.5, 0.5)),
    ((0.25, 0.25, 0.75, 0.75), (-1, -1, 1, 3), (0.625, 0.3125, 0.875, 0.4375)),  # an image that was made larger
    ((0.25, 0.25, 0.5, 0.75), (0.5, 0.5, 1, 1), None),                          # they meet in a side
    ((0.25, 0.5, 0.25, 0.75), (0, 0, 1, 1), None),                              # no area
    ((0.75, 0.5, 0.25, 0.75), (0, 0, 1, 1), None),                              # the wrong way round
    ((-1e38, 0.5, 3e38, 9), (0, 0, 1, 1), (0, 0.5, 1, 1)),
])
def test_projection(box, window, expected):
    found = project(objects(box), np.float32(window)).boxes.tolist()
    assert found == ([list(expected)] if expected else [])


def test_a_batch_is_the_same_whenever_it_is_made(tmp_path):
    images = [(np.roll(RAMP, i), BOXES[:i]) for i in range(5)]
    make = batches(tmp_path, images, "mirror: true crop_size: 3", random_crop=True)
    ahead = [[array.copy() for array in make(n)] for n in range(6)]
    again = make(4, make(1))
    for one, other in zip(ahead[4], again):
        np.testing.assert_array_equal(one, other)
    others = batches(tmp_path, images, "mirror: true crop_size: 3", random_crop=True, seed=6)
    assert any((make(n)[0] != others(n)[0]).any() for n in range(6))


def test_each_image_of_a_batch_draws_for_itself(tmp_path):
    param = parse("expand_param { max_expand_ratio: 3 }", "TransformationParameter")
    make = batches(tmp_path, [(RAMP, BOXES)], "resize_param { height: 8 width: 8 }", size=4,
                   augmentation=Augmentation(param, []))
    assert len({image.tobytes() for image in make(0)[0]}) == 4
    assert len({make(n)[1].tobytes() for n in range(4)}) == 4


def test_the_memory_of_images_is_used_again(tmp_path):
    make = batches(tmp_path, [(RAMP, BOXES), (RAMP, [])], size=1)
    first = make(0)
    assert make(1, first)[0] is first[0]


def plain(folder, *records):
    with LmdbWriter(folder / "db") as writer:
        for i, record in enumerate(records):
            writer.put(b"%d" % i, record.SerializeToString())


def test_labels_where_no_type_is_given(tmp_path):
    plain(tmp_path, *[new("AnnotatedDatum", datum=array_to_datum(np.zeros((1, 1, 1), np.uint8), i)) for i in range(3)])
    made = batches(tmp_path, [])
    assert made.shapes()[1] == (2,) and made(1)[1].tolist() == [2, 0]
    assert batches(tmp_path, [], boxed=True)(0)[1].shape == (1, 1, 1, 8)  # anno_type is in the options


IMAGE = array_to_datum(np.zeros((1, 1, 1), np.uint8))


@pytest.mark.parametrize("record, words", [
    (IMAGE, "record 0: expected an AnnotatedDatum with an image, got none; .* the type Data"),
    (new("AnnotatedDatum", type=0), "record 0: expected an AnnotatedDatum with an image"),
    (new("AnnotatedDatum", datum={"channels": 3}, type=0), "record 0: expected 3 x 0 x 0 values"),
    (annotated_datum(IMAGE, [(1 << 24, 0, 0, 1, 1)]), "record 0: expected a label below 16777216"),
    (new("AnnotatedDatum", datum=IMAGE, type=0, annotation_group=[{"annotation": [{"bbox": {"xmax": np.inf}}]}]),
     "record 0: expected corners of boxes that are finite, got inf"),
])
def test_records_that_cannot_be(tmp_path, record, words):
    plain(tmp_path, record)
    with pytest.raises(DataError, match=words):
        batches(tmp_path, [])(0)


def test_every_record_has_a_type_if_the_first_one_has(tmp_path):
    image = array_to_datum(np.zeros((1, 1, 1), np.uint8))  # of the present schema, which other tests may have extended
    plain(tmp_path, annotated_datum(image, []), new("AnnotatedDatum", datum=image))
    with pytest.raises(DataError, match="record 1: expected a record with a type"):
        batches(tmp_path, [])(0)


@pytest.mark.parametrize("box", [(1, 2, 3), (1, 0, 0, np.nan, 1), (1 << 31, 0, 0, 1, 1), (1, 0, 0, 1, 1, 0, 0)])
def test_boxes_that_are_not_written(tmp_path, box):
    with pytest.raises(DataError, match="expected 5 or 6 finite numbers"):
        write_annotated(tmp_path / "db", [(RAMP, [box])])
