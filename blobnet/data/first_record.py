"""The shape of a batch, told from the first record of its source."""

from __future__ import annotations

import os
from collections.abc import Callable

import numpy as np
from google.protobuf.message import Message

from blobnet.data.batches.datums import DatumBatches
from blobnet.data.images.files import read_image
from blobnet.data.images.lists import read_image_list
from blobnet.data.images.transformer import Transformer
from blobnet.data.stores.database import open_database
from blobnet.data.stores.hdf5 import dataset_shapes, read_file_list

Shape = tuple[int, ...]


def batch_shape(layer: Message) -> Shape | None:
    """The shape of the first top of a Data, PairData, TripletData, ImageData, HashingImageData or HDF5Data layer.

    None for other types, and where the source, or the first file in it, is missing.
    """
    return READERS[layer.type](layer) if layer.type in READERS else None


def _database(layer: Message) -> Shape | None:
    options = layer.data_param
    if not os.path.isdir(options.source):
        return None
    reader = open_database(options.source, type(options).DB.Name(options.backend))
    return DatumBatches(reader, _transformer(layer), options.batch_size, np.float32).shapes()[0]


def _images(layer: Message) -> Shape | None:
    options = layer.image_data_param
    if not os.path.isfile(options.source):
        return None
    first = options.root_folder + read_image_list(options.source, options.label_num)[0][0]
    if not os.path.isfile(first):
        return None
    size = (options.new_height, options.new_width) if options.new_height and options.new_width else None
    return (options.batch_size, *_transformer(layer).output_shape(read_image(first, options.is_color, size).shape))


def _hdf5(layer: Message) -> Shape | None:
    options = layer.hdf5_data_param
    if not os.path.isfile(options.source):
        return None
    first = read_file_list(options.source)[0]
    return (options.batch_size, *dataset_shapes(first, layer.top[:1])[0][1:]) if os.path.isfile(first) else None


def _transformer(layer: Message) -> Transformer:
    return Transformer(layer.transform_param, False, f"layer {layer.name!r} ({layer.type}) transform_param")


READERS: dict[str, Callable[[Message], Shape | None]] = {
    "Data": _database, "PairData": _database, "TripletData": _database, "ImageData": _images,
    "HashingImageData": _images, "HDF5Data": _hdf5}
