"""What data layers share."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

import numpy as np
from google.protobuf.message import Message

from blobnet.backend import random_stream
from blobnet.backend.staging import PinnedStaging, Staging
from blobnet.core.layer import Layer
from blobnet.core.layer_type import Arity
from blobnet.data.batches.base import Batches
from blobnet.data.batches.prefetch import Prefetch
from blobnet.errors import NetError, within
from blobnet.proto.budget import require_batch


class Source(Layer):
    """A layer without bottoms. Setup gives the tops their shapes, and a user may change them later."""

    num_bottoms = 0
    num_tops: Arity = (1, None)

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
        return lambda *key: random_stream(context.seed, index, *key)


class BatchSource(Source):
    """A source that reads batches ahead: the base class of data layers, a user's too.

    Forward number n copies batch n, whatever its shape, into the tops; processes that run the net together take the
    batches in turn. A subclass calls `read_ahead` in setup. It declares where its options are (batch_field, and
    source_field if the source may be exchanged) and which tops have labels (label_tops), and tells by class methods the
    shapes of its tops (declared_shapes, read_shape) and how many records there are (count_records). LayerType explains
    these.
    """

    batches: Prefetch
    staging: Staging
    records: int | None = None  # how many there are, after which they come again; None if they were not counted
    record_names: Callable[[], Iterable[str | bytes]] | None = None  # keys or paths, if the records come in order

    def forward(self, bottom, top):
        with within(self.where):
            batch = self.batches.take()
        for blob, shape in zip(top, self.staging.shapes(batch)):  # it may hold labels for which there is no top
            blob.reshape(shape)
        self.staging.write(batch, [blob.data for blob in top])

    def seek(self, step):
        self.batches.seek(step)

    def read_ahead(self, batches: Batches, top) -> None:
        """Shape the tops, and read ahead by as many of the `batches` as data_param.prefetch says."""
        options, shapes = self.param.data_param, batches.shapes()
        self.at_least_one(options, "prefetch")
        require_batch(shapes[0][0], sum(map(math.prod, shapes)) // shapes[0][0] * self.dtype.itemsize, self.where)
        for blob, shape in zip(top, shapes):
            blob.reshape(shape)
        self.staging = Staging(batches) if self.xp is np else PinnedStaging(batches, self.xp, self.context.device)
        staging, number = self.staging, self.context.processes.batch
        self.batches = Prefetch(lambda n, reuse: staging(number(n), reuse), options.prefetch)
