"""What data layers share."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

import numpy as np
from google.protobuf.message import Message

from blobnet.backend import random_stream
from blobnet.core.context import TRAIN
from blobnet.core.layer import Layer
from blobnet.data.batches.base import Batches
from blobnet.data.batches.class_draws import ClassDraws
from blobnet.data.batches.images import ImageBatches
from blobnet.data.batches.prefetch import Prefetch
from blobnet.data.images.lists import read_image_list
from blobnet.data.images.transformer import Transformer
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

        The function does not hold the layer, which a thread that reads ahead must not keep alive.
        """
        context, index = self.context, self.index
        return lambda *key: random_stream(np, context.seed, index, *key)


class BatchSource(Source):
    """A source that reads batches ahead. A subclass makes `self.batches`, a Prefetch, in setup.

    Forward number n copies batch n, whatever its shape, into the tops.
    """

    batches: Prefetch
    records: int | None = None  # how many there are, after which they come again; None if nobody counted
    record_names: Callable[[], Iterable[str | bytes]] | None = None  # keys or paths, if the records come in order

    def forward(self, bottom, top):
        with within(self.where):
            batch = self.batches.take()
        for blob, values in zip(top, batch):  # a batch may hold labels that nobody asked for
            blob.reshape(values.shape)
            blob.data[...] = self.xp.asarray(values)

    def seek(self, step):
        self.batches.seek(step)

    def read_ahead(self, batches: Batches, top) -> None:
        """Shape the tops, and read ahead by as many of the `batches` as data_param.prefetch says."""
        options, shapes = self.param.data_param, batches.shapes()
        self.at_least_one(options, "prefetch")
        require_batch(shapes[0][0], sum(map(math.prod, shapes)) // shapes[0][0] * self.dtype.itemsize, self.where)
        for blob, shape in zip(top, shapes):
            blob.reshape(shape)
        self.batches = Prefetch(batches, options.prefetch)


class ImageSource(BatchSource):
    """A source that reads image files of a list."""

    options_field = "image_data_param"
    more_options = ("transform_param", "data_param")
    num_tops = 2

    def images(self, classes: int = 0, **order) -> ImageBatches:
        """The batches of the list in the options: of so many classes drawn for each, or in an order of ImageBatches."""
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
                            color=options.is_color, image_size=size, draws=draws, origin=source,
                            root_folder=options.root_folder, **order)
