"""What data layers share."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from google.protobuf.message import Message

from blobnet.backend import random_stream
from blobnet.core.layer import Layer
from blobnet.data.prefetch import Prefetch
from blobnet.errors import NetError


class Source(Layer):
    """A layer without bottoms. Setup gives the tops their shapes, and a user may change them later."""

    num_bottoms = 0
    num_tops = (1, None)

    def reshape(self, bottom, top):
        pass

    def at_least_one(self, options: Message, *fields: str) -> None:
        """NetError for a field of `options` that is 0."""
        for field in fields:
            if getattr(options, field) < 1:
                raise NetError(self.where, expected=f"{field} of at least 1", got=getattr(options, field))

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

    def forward(self, bottom, top):
        for blob, values in zip(top, self.batches.take()):  # a batch may hold labels that nobody asked for
            blob.reshape(values.shape)
            blob.data[...] = self.xp.asarray(values)

    def seek(self, step):
        self.batches.seek(step)

    def read_ahead(self, produce: Callable, top, shapes) -> None:
        """Shape the tops, and read what `produce` makes ahead, by as many batches as data_param.prefetch says."""
        options = self.param.data_param
        self.at_least_one(options, "prefetch")
        for blob, shape in zip(top, shapes):
            blob.reshape(shape)
        self.batches = Prefetch(produce, options.prefetch)
