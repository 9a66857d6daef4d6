"""AnnotatedDatum: an image with the boxes of its objects, as the databases of SSD store them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence

import numpy as np
from google.protobuf.message import Message

from blobnet.data.images.objects import Objects
from blobnet.data.stores.base import Writer
from blobnet.data.stores.datum import array_to_datum, parse_record
from blobnet.data.stores.lmdb_writer import LmdbWriter
from blobnet.errors import DataError
from blobnet.proto.messages import new

LABELS = 1 << 31
CORNERS = ("xmin", "ymin", "xmax", "ymax")


def parse_annotated_datum(data: bytes | memoryview, where: str = "annotated datum") -> Message:
    """The AnnotatedDatum that the bytes of a record hold; DataError if they hold none, or one without an image."""
    record = parse_record(data, "AnnotatedDatum", where)
    if not record.HasField("datum"):
        raise DataError(where, expected="an AnnotatedDatum with an image", got="none",
                        hint="records of images without boxes are for layers of the type Data")
    return record


def objects_of(record: Message, where: str = "annotated datum") -> Objects:
    """The objects of an AnnotatedDatum, group by group. DataError for a corner that is no finite number."""
    found = [(group.group_label, each) for group in record.annotation_group for each in group.annotation]
    boxes = np.array([[getattr(each.bbox, corner) for corner in CORNERS] for _, each in found], np.float32)
    if not np.isfinite(boxes).all():
        raise DataError(where, expected="corners of boxes that are finite", got=boxes[~np.isfinite(boxes)][0])
    return Objects(np.array([label for label, _ in found], np.int64),
                   np.array([each.instance_id for _, each in found], np.int64), boxes.reshape(-1, 4),
                   np.array([each.bbox.difficult for _, each in found], bool))


def annotated_datum(datum: Message, boxes: Iterable[Sequence[float]]) -> Message:
    """The AnnotatedDatum of the image in `datum` with `boxes`, rows (label, xmin, ymin, xmax, ymax) or with `difficult`
    behind, 0 or 1; corners are parts of the image's width and height.

    >>> record = annotated_datum(array_to_datum(np.zeros((3, 2, 2), np.uint8)), [(7, 0, 0, 1, 0.5), (7, 0, 0, 1, 1, 1)])
    >>> objects_of(record).instances.tolist(), objects_of(record).difficult.tolist()
    ([0, 1], [False, True])
    """
    record = new("AnnotatedDatum", datum=datum, type=0)
    groups: dict[int, Message] = {}
    for row in boxes:
        if len(row) not in (5, 6) or not np.isfinite(row).all() or abs(row[0]) >= LABELS:
            raise DataError("box of an AnnotatedDatum", got=list(row),
                            expected="5 or 6 finite numbers, the first of them a label below 2^31 in size")
        label = int(row[0])
        if label not in groups:
            groups[label] = record.annotation_group.add(group_label=label)
        box = dict(zip(CORNERS, map(float, row[1:5])), difficult=len(row) == 6 and bool(row[5]))
        groups[label].annotation.add(instance_id=len(groups[label].annotation), bbox=box)
    return record


def write_annotated(path: str | os.PathLike, images: Iterable[tuple[np.ndarray | bytes, Iterable[Sequence[float]]]],
                    writer: type[Writer] = LmdbWriter) -> int:
    """Write a database of AnnotatedDatum records to `path`, which is new, and return how many they are.

    An image is uint8 (H, W, 3), blue, green, red, or (H, W, 1), or the bytes of an image file. Beside it stand its
    boxes, as `annotated_datum` takes them. DataError as for `Writer`.
    """
    count = 0
    with writer(path) as database:
        for image, boxes in images:
            datum = new("Datum", data=image, encoded=True) if isinstance(image, bytes) else array_to_datum(
                np.asarray(image).transpose(2, 0, 1))
            datum.label = -1  # as the program of SSD has it
            database.put(b"%08d" % count, annotated_datum(datum, boxes).SerializeToString())
            count += 1
    return count
