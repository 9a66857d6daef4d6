"""The shape of a batch, told from the first record of its database."""

from __future__ import annotations

import os

import numpy as np
from google.protobuf.message import Message

from blobnet.data.batches import DatumBatches
from blobnet.data.database import open_database
from blobnet.data.transformer import Transformer


def batch_shape(layer: Message) -> tuple[int, ...] | None:
    """The shape (N, C, H, W) of the first top of a Data layer; None for other types and where the source is missing."""
    options = layer.data_param
    if layer.type != "Data" or not os.path.isdir(options.source):
        return None
    reader = open_database(options.source, type(options).DB.Name(options.backend))
    transformer = Transformer(layer.transform_param, False, f"layer {layer.name!r} (Data) transform_param")
    return DatumBatches(reader, transformer, options.batch_size, np.float32).shape()
