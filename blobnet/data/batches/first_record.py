"""The shape of a record, told from the first one of a source: (C, H, W) of an image, or that of a row.

None where the source, or the first file that it names, is missing.
"""

from __future__ import annotations

import os

from google.protobuf.message import Message

from blobnet.data.batches.annotated import AnnotatedBatches
from blobnet.data.batches.datums import DatumBatches
from blobnet.data.images.files import read_image
from blobnet.data.images.transformer import Transformer
from blobnet.data.stores.database import open_database
from blobnet.data.stores.hdf5 import dataset_shapes, read_file_list

Shape = tuple[int, ...]


def database_image(options: Message, transform: Message, where: str) -> Shape | None:
    """Of a database that a DataParameter names, transformed; `where` names the transform_param in errors."""
    if not os.path.isdir(options.source):
        return None
    reader = open_database(options.source, type(options).DB.Name(options.backend))
    return DatumBatches(reader, Transformer(transform, False, where), 1).shapes()[0][1:]


def annotated_batch(options: Message, transform: Message, boxed: bool, where: str) -> list[Shape] | None:
    """Of a batch of the AnnotatedDatum records of such a database: the shapes of its images and of its labels."""
    if not os.path.isdir(options.source):
        return None
    reader = open_database(options.source, type(options).DB.Name(options.backend))
    transformer = Transformer(transform, False, where)
    return AnnotatedBatches(reader, transformer, options.batch_size, boxed=boxed).shapes()


def listed_image(options: Message, name: str, transform: Message, where: str) -> Shape | None:
    """Of the image file `name` of a list, as an ImageDataParameter says, likewise."""
    image = image_file(options, name)
    return image and Transformer(transform, False, where).output_shape(image)


def image_file(options: Message, name: str) -> tuple[int, int, int] | None:
    """Of the same file before it is transformed; `options` has root_folder, is_color, new_height and new_width."""
    first = options.root_folder + name
    if not os.path.isfile(first):
        return None
    size = (options.new_height, options.new_width) if options.new_height and options.new_width else None
    channels, height, width = read_image(first, options.is_color, size).shape
    return channels, height, width


def hdf5_row(source: str, name: str) -> Shape | None:
    """Of the dataset `name` in the first HDF5 file of a list."""
    if not os.path.isfile(source):
        return None
    first = read_file_list(source)[0]
    return dataset_shapes(first, [name])[0][1:] if os.path.isfile(first) else None
