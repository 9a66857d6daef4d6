"""What the data layers share that read images, from databases or from files."""

from __future__ import annotations

import os

import numpy as np
from google.protobuf.message import Message

from blobnet.core.context import TRAIN
from blobnet.data.batches.class_draws import ClassDraws
from blobnet.data.batches.first_record import Shape, database_image, listed_image
from blobnet.data.batches.images import ImageBatches
from blobnet.data.images.lists import read_image_list
from blobnet.data.images.mean import read_mean
from blobnet.data.images.transformer import Transformer
from blobnet.data.stores.database import open_database
from blobnet.errors import NetError
from blobnet.layers.data._base import BatchSource


class DatabaseSource(BatchSource):
    """A source that reads the images of a database of Datum records, which data_param names."""

    batch_field = source_field = "data_param"

    @classmethod
    def declared_shapes(cls, layer, batch):
        means = len(layer.transform_param.mean_value)  # one for each channel, but a single one may serve all
        return [image_shape(layer, batch, channels=means if means > 1 else 0), (batch,)]

    @classmethod
    def read_shape(cls, layer, top, batch):
        image = None if top else database_image(layer.data_param, layer.transform_param, transform_where(layer))
        return image and (batch, *image)

    @classmethod
    def count_records(cls, layer):
        return len(open_database(layer.data_param.source))


class ImageSource(BatchSource):
    """A source that reads image files of a list."""

    options_field = batch_field = source_field = "image_data_param"
    more_options = ("transform_param", "data_param")
    num_tops = 2
    label_tops: tuple[int, ...] = (1,)

    @classmethod
    def read_list(cls, options: Message) -> tuple[list[str], np.ndarray]:
        """The paths in the list, and the labels of the images, (N,) or (N, L)."""
        return read_image_list(options.source, options.label_num)

    @classmethod
    def declared_shapes(cls, layer, batch):
        options = layer.image_data_param
        image = image_shape(layer, batch, 3 if options.is_color else 1, options.new_height, options.new_width)
        return [image, (batch, options.label_num) if options.label_num > 1 else (batch,)]

    @classmethod
    def read_shape(cls, layer, top, batch):
        options = layer.image_data_param
        if top or not os.path.isfile(options.source):
            return None
        image = listed_image(options, cls.read_list(options)[0][0], layer.transform_param, transform_where(layer))
        return image and (batch, *image)

    @classmethod
    def count_records(cls, layer):
        return len(cls.read_list(layer.image_data_param)[0])

    def images(self, classes: int = 0, **order) -> ImageBatches:
        """The batches of the list in the options: each of so many `classes`, drawn at random; or, if that is 0, in an
        order that further arguments of ImageBatches choose."""
        options = self.options
        self.at_least_one(options, "batch_size", "label_num")
        size = both_sides(options, "new_height", "new_width", self.where)
        source = self.source("image_data_param")
        paths, labels = self.read_list(options)
        self.records = len(paths)
        check_skip(order.get("rand_skip", 0), len(paths), self.where)
        if not classes and not any(order.values()):
            self.record_names = paths.__iter__
        transformer = Transformer(self.param.transform_param, self.phase == TRAIN, f"{self.where} transform_param")
        draws = ClassDraws(labels, classes, self.streams(), self.where) if classes else None
        return ImageBatches(paths, labels, transformer, options.batch_size, self.dtype, self.streams(),
                            color=options.is_color, image_size=size, draws=draws, origin=source,
                            root_folder=options.root_folder, **order)


def both_sides(options: Message, height: str, width: str, where: str) -> tuple[int, int] | None:
    """The two fields of `options`, None if they are 0; NetError if only one of them is."""
    sides = getattr(options, height), getattr(options, width)
    if bool(sides[0]) != bool(sides[1]):
        raise NetError(where, expected=f"{height} and {width}, or neither", got=f"{sides[0]} and {sides[1]}")
    return sides if sides[0] else None


def check_skip(rand_skip: int, count: int, where: str) -> None:
    """NetError for a rand_skip beyond the `count` records of a list."""
    if rand_skip > count:
        raise NetError(where, expected=f"rand_skip of at most {count}, the number of images", got=rand_skip)


def image_shape(layer: Message, batch: int, channels: int, height: int = 0, width: int = 0) -> Shape:
    """(N, C, H, W) of images of this size after transform_param, where 0 is an unknown number."""
    transform = layer.transform_param
    side, resized, mean = transform.crop_size, transform.resize_param, (0, 0, 0)
    if os.path.isfile(transform.mean_file):
        mean = read_mean(transform.mean_file).shape
    fitted = resized.resize_mode == resized.FIT_SMALL_SIZE  # then the size depends on the image's
    height, width = (0, 0) if fitted else (resized.height or height or mean[1], resized.width or width or mean[2])
    return batch, channels or mean[0], side or transform.crop_h or height, side or transform.crop_w or width


def transform_where(layer: Message) -> str:
    """The place of transform_param, for errors of a layer that is not built."""
    return f"layer {layer.name!r} ({layer.type}) transform_param"
