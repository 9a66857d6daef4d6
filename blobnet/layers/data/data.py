"""Data."""

from __future__ import annotations

import numpy as np

from blobnet.backend import random_stream
from blobnet.core.context import TRAIN
from blobnet.core.registry import register
from blobnet.data.batches import DatumBatches
from blobnet.data.database import open_database
from blobnet.data.prefetch import Prefetch
from blobnet.data.transformer import Transformer
from blobnet.errors import NetError
from blobnet.layers.data._base import BatchSource


@register
class Data(BatchSource):
    """Images and labels from a database of Datum records.

    x[i] = transform(record[(n * N + i) mod R]) in forward n, of R records in the order of their keys

    Bottoms: none   Tops: x (N, C, H, W); labels (N,), may be left out   Params: none
    Options: source, backend, batch_size N, prefetch (batches read ahead), and all of transform_param
    Quirks: the default backend is LEVELDB. mirror is random in the TEST phase too; crops are random in TRAIN only. The
    first image of a batch decides its shape, so batch_size: 1 reads images of any size. rand_skip has no effect.
    """

    options_field = "data_param"
    num_tops = (1, 2)

    def setup(self, bottom, top):
        options = self.options
        for field in ("batch_size", "prefetch"):
            if getattr(options, field) < 1:
                raise NetError(self.where, expected=f"{field} of at least 1", got=getattr(options, field))
        reader = open_database(options.source, type(options).DB.Name(options.backend))
        transformer = Transformer(self.param.transform_param, self.phase == TRAIN, f"{self.where} transform_param")
        context, index = self.context, self.index  # not self: the thread that reads ahead must not keep it alive
        batches = DatumBatches(reader, transformer, options.batch_size, self.dtype,
                               lambda n: random_stream(np, context.seed, index, n))
        top[0].reshape(batches.shape())
        if len(top) > 1:
            top[1].reshape((options.batch_size,))
        self.batches = Prefetch(batches, options.prefetch)
