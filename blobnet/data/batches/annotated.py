"""AnnotatedBatches: images with the boxes of their objects, from a database."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from google.protobuf.message import Message
from numpy.typing import DTypeLike

from blobnet.data.batches.base import Batch, Batches, Random, Shape
from blobnet.data.batches.labels import check_labels
from blobnet.data.images.augmentation import Augmentation
from blobnet.data.images.files import in_parallel
from blobnet.data.images.objects import Objects, project
from blobnet.data.images.transformer import Cut, Transformer
from blobnet.data.stores.annotated_datum import objects_of, parse_annotated_datum
from blobnet.data.stores.base import Reader
from blobnet.data.stores.datum import datum_to_array
from blobnet.errors import DataError

Item = tuple[Message, str]  # an AnnotatedDatum, and where it comes from
ROW = 8  # numbers that tell of an object
LIST = (300, 5)  # boxes of an image where they are listed, as for YOLO, and numbers that tell of one


class AnnotatedBatches(Batches):
    """Batch n holds the records n * size, … modulo the number of records: their images (N, C, H, W), transformed, and
    a row for each of all their objects, (1, 1, G, 8).

    A row is [number of the image in the batch, label, instance, x1, y1, x2, y2, difficult], all -1 in the one row of a
    batch without objects. If the records do not say what an object has, and it is not said that they are `boxed`, their
    labels (N,) come instead. Where they are to be `listed`, "all" or those that are "easy", there are rows
    [label - 1, x, y, w, h] around middles, then 0, (N, 1, 300, 5), for every image. The `augmentation` comes before the
    transformer, and image i of batch n draws from random(n, i) in it. DataError for a label or an instance that the
    dtype cannot hold exactly, and for more boxes than a list holds.
    """

    def __init__(self, reader: Reader, transformer: Transformer, size: int, dtype: DTypeLike = np.float32,
                 random: Random = np.random.default_rng, boxed: bool = False, augmentation: Augmentation | None = None,
                 listed: str = ""):
        super().__init__(size, dtype, random)
        self.reader, self.transformer, self.augmentation, self.listed = reader, transformer, augmentation, listed
        reader.seek(0)
        self.first, where = self._next()
        self.shape = transformer.output_shape(self._image((self.first, where)).shape)
        self.typed, self.boxed = not boxed, boxed or self.first.HasField("type")

    def shapes(self) -> list[Shape]:
        if self.boxed and self.listed:
            return [(self.size, *self.shape), (self.size, 1, *LIST)]
        rows = sum(len(group.annotation) for group in self.first.annotation_group)
        return [(self.size, *self.shape), (1, 1, max(rows, 1), ROW) if self.boxed else (self.size,)]

    def __call__(self, n: int, reuse: Batch | None = None) -> Batch:
        self.reader.seek(n * self.size)
        items = [self._next() for _ in range(self.size)]
        images, found = zip(*in_parallel(self._read, [(item, self.random(n, i)) for i, item in enumerate(items)]))
        data, = self.arrays([(self.size, *self.transformer.output_shape(images[0].shape))], reuse and reuse[:1])
        cuts = self.transformer(images, data, self.random(n))
        if not self.boxed:
            return data, self._labels(items)
        sizes = [image.shape[1:] for image in images]
        moved = [self._follow(*each) for each in zip(found, sizes, cuts)]
        return data, self._lists(moved) if self.listed else self._rows(moved)

    def _next(self) -> Item:
        where = f"{self.reader.where} record {self.reader.position}"
        return parse_annotated_datum(self.reader.read(), where), where

    def _image(self, item: Item) -> np.ndarray:
        record, where = item
        return datum_to_array(record.datum, self.transformer.color, where)

    def _read(self, job: tuple[Item, np.random.Generator]) -> tuple[np.ndarray, Objects]:
        item, rng = job
        image, objects = self._image(item), self._objects(item)
        return self.augmentation(image, objects, rng) if self.augmentation else (image, objects)

    def _objects(self, item: Item) -> Objects:
        record, where = item
        if self.boxed and self.typed and not record.HasField("type"):
            raise DataError(where, expected="a record with a type, as the first one has", got="none")
        objects = objects_of(record, where)
        check_labels(np.stack([objects.labels, objects.instances], axis=1), self.dtype, lambda _: where)
        return objects

    def _follow(self, objects: Objects, size: tuple[int, int], cut: Cut) -> Objects:
        """The objects of an image of this size, as they are after it was transformed."""
        resizer, window = self.transformer.resizer, cut.window()
        if resizer:
            objects = objects.moved(resizer.boxes(objects.boxes, size))
        objects = project(objects, window, self.augmentation.emit if self.augmentation else None)
        objects = objects.mirrored() if cut.flip else objects
        return objects.moved(resizer.rescaled(objects.boxes, size, window)) if resizer else objects

    def _labels(self, items: Sequence[Item]) -> np.ndarray:
        labels = np.array([record.datum.label for record, _ in items])
        check_labels(labels, self.dtype, lambda i: items[i][1])
        return labels.astype(self.dtype)

    def _rows(self, found: list[Objects]) -> np.ndarray:
        rows = [np.column_stack([np.full(len(labels), i), labels, instances, boxes, difficult])
                for i, (labels, instances, boxes, difficult) in enumerate(found)]
        joined = np.concatenate(rows).astype(self.dtype)
        return (joined if len(joined) else np.full((1, ROW), -1, self.dtype))[None, None]

    def _lists(self, found: list[Objects]) -> np.ndarray:
        lists = np.zeros((len(found), 1, *LIST), self.dtype)
        for own, objects in zip(lists[:, 0], found):
            kept = ~objects.difficult if self.listed == "easy" else np.ones(len(objects.labels), bool)
            if kept.sum() > len(own):
                raise DataError(self.reader.where, expected=f"up to {len(own)} boxes an image", got=int(kept.sum()))
            low, high = objects.boxes[kept, :2], objects.boxes[kept, 2:]
            own[:kept.sum()] = np.column_stack([objects.labels[kept] - 1, (low + high) / 2, high - low])
        return lists
