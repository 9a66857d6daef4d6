"""What data layers share."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

import numpy as np
from google.protobuf.message import Message

from blobnet.backend import random_stream
from blobnet.core.context import TRAIN
from blobnet.core.layer import Layer
from blobnet.data.class_draws import ClassDraws
from blobnet.data.database import open_database
from blobnet.data.first_record import Shape, database_image, listed_image
from blobnet.data.image_batches import ImageBatches
from blobnet.data.image_list import read_image_list
from blobnet.data.prefetch import Prefetch
from blobnet.data.transformer import Transformer
from blobnet.errors import NetError, within
from blobnet.proto.budget import require_batch


class Source(Layer):
    """A layer without bottoms. Setup gives the tops their shapes, and a user may change them later."""

    num_bottoms = 0
    num_tops = (1, None)

    def initialize(self, bottom, top):
        with within(self.where):  # errors of files and databases
            super().initialize(bottom, top)

    def reshape(self, bottom, top):
        pass

    def at_least_one(self, options: Message, *fields: str) -> None:
        """NetError for a field of `options` that is 0."""
        for field in fields:
            if getattr(options, field) < 1:
                raise NetError(self.where, expected=f"{field} of at least 1", got=getattr(options, field))

    def source(self, field: str) -> str:
        """The source in the options `field`; NetError if there is none."""
        found = getattr(self.param, field).source
        if not found:
            raise NetError(self.where, "no source", hint=f'write {field} {{ source: "…" }}')
        return found

    def streams(self) -> Callable[..., np.random.Generator]:
        """The random streams of this layer by key, on the host, with the seed that the context has when one is drawn.

        The function has no reference to the layer: a thread that reads ahead must not keep it alive.
        """
        context, index = self.context, self.index
        return lambda *key: random_stream(np, context.seed, index, *key)


class BatchSource(Source):
    """A source that reads batches ahead: the base class of data layers, a user's too.

    Forward number n copies batch n, whatever its shape, into the tops. A subclass calls `read_ahead` in setup. It
    declares where its options are (batch_field, and source_field if the source may be exchanged) and which tops have
    labels (label_tops), and tells by class methods the shapes of its tops (declared_shapes, read_shape) and how many
    records there are (count_records). LayerType explains these.
    """

    batches: Prefetch
    records: int | None = None  # how many there are, after which they come again; None if they were not counted
    record_names: Callable[[], Iterable[str | bytes]] | None = None  # keys or paths, if the records come in order

    def forward(self, bottom, top):
        with within(self.where):
            batch = self.batches.take()
        for blob, values in zip(top, batch):  # a batch may hold labels for which there is no top
            blob.reshape(values.shape)
            blob.data[...] = self.xp.asarray(values)

    def seek(self, step):
        self.batches.seek(step)

    def read_ahead(self, produce: Callable, top, shapes) -> None:
        """Give the tops their shapes, and read ahead by as many batches as data_param.prefetch says.

        `produce(n, reuse)` makes the arrays of batch n, one for each top. It may write them into those of `reuse`, a
        batch that nobody needs any more, or None.
        """
        options = self.param.data_param
        self.at_least_one(options, "prefetch")
        require_batch(shapes[0][0], sum(map(math.prod, shapes)) // shapes[0][0] * self.dtype.itemsize, self.where)
        for blob, shape in zip(top, shapes):
            blob.reshape(shape)
        self.batches = Prefetch(produce, options.prefetch)


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
    label_tops = (1,)

    @classmethod
    def declared_shapes(cls, layer, batch):
        options = layer.image_data_param
        image = image_shape(layer, batch, 3 if options.is_color else 1, options.new_height, options.new_width)
        return [image, (batch, options.label_num) if options.label_num > 1 else (batch,)]

    @classmethod
    def read_shape(cls, layer, top, batch):
        image = None if top else listed_image(layer.image_data_param, layer.transform_param, transform_where(layer))
        return image and (batch, *image)

    @classmethod
    def count_records(cls, layer):
        options = layer.image_data_param
        return len(read_image_list(options.source, options.label_num)[0])

    def images(self, classes: int = 0, **order) -> ImageBatches:
        """The batches of the list in the options: each of so many `classes`, drawn at random; or, if that is 0, in an
        order that further arguments of ImageBatches choose."""
        options = self.options
        self.at_least_one(options, "batch_size", "label_num")
        if bool(options.new_height) != bool(options.new_width):
            raise NetError(self.where, expected="new_height and new_width, or neither",
                           got=f"{options.new_height} and {options.new_width}")
        source = self.source("image_data_param")
        paths, labels = read_image_list(source, options.label_num)
        self.records = len(paths)
        if not classes and not any(order.values()):
            self.record_names = paths.__iter__
        transformer = Transformer(self.param.transform_param, self.phase == TRAIN, f"{self.where} transform_param")
        size = (options.new_height, options.new_width) if options.new_height else None
        draws = ClassDraws(labels, classes, self.streams(), self.where) if classes else None
        return ImageBatches(paths, labels, transformer, options.batch_size, self.dtype, self.streams(),
                            color=options.is_color, size=size, draws=draws, origin=source,
                            root_folder=options.root_folder, **order)


def image_shape(layer: Message, batch: int, channels: int, height: int = 0, width: int = 0) -> Shape | None:
    """(N, C, H, W) of images of this size after transform_param, where 0 is an unknown number; None if one is left."""
    side, resized = layer.transform_param.crop_size, layer.transform_param.resize_param
    image = channels, side or resized.height or height, side or resized.width or width
    return (batch, *image) if all(image) else None


def transform_where(layer: Message) -> str:
    """The place of transform_param, for errors of a layer that is not built."""
    return f"layer {layer.name!r} ({layer.type}) transform_param"
