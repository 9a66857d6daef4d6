"""Hash codes of photos: image files of any size, taken as the data layer of a net takes its own images."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

import numpy as np
from google.protobuf.message import Message

from blobnet.backend import random_stream, to_host
from blobnet.core.context import TEST
from blobnet.core.net import Net
from blobnet.core.registry import declarations
from blobnet.data.images.files import in_parallel
from blobnet.data.images.photos import read_photo
from blobnet.data.images.transformer import Transformer
from blobnet.data.stores.database import open_database
from blobnet.data.stores.datum import datum_to_array, parse_datum
from blobnet.data.stores.ids import first_ids
from blobnet.errors import DataError, NetError, ShapeError, close_matches
from blobnet.hashing.codes import Codes
from blobnet.hashing.encode import require_reader
from blobnet.hashing.vector_net import fill_inputs
from blobnet.netdef.fields import layer_where, without
from blobnet.netdef.load import load_filtered

CHANNELS = ("bgr", "rgb")
SOURCES = ("data_param", "image_data_param")  # where types that read images have their source


def encode_photos(net_file: str | os.PathLike, weights: str | os.PathLike, blob: str,
                  paths: Sequence[str | os.PathLike], *, threshold: float = 0.0, block_size: int | None = None,
                  root: str | os.PathLike = "", channels: str | None = None, device: str = "cpu",
                  python_layers: bool = False, allow_tf32: bool = False,
                  progress: Callable[[int], object] | None = None) -> Codes:
    """The codes of the photos at `paths`, below the folder `root`, which are their ids; they have no labels.

    The values are those of `blob` in the net with these weights, in the TEST phase, as if its data layer read the
    photos: Photos says how. `threshold` and `block_size` make bits of them, as in Codes. `progress` is called with the
    number of new codes after every batch. Only the layers that `blob` needs are built. Raises DataError, with its path,
    for a photo that is missing or cannot be decoded; NetError unless one layer reads images, and for a blob that is not
    there or that needs labels.
    """
    where = os.fspath(net_file)
    if not paths:
        raise DataError("photos", expected="at least one", got="none")
    files = [os.path.join(root, path) for path in paths]
    definition = load_filtered(net_file, TEST, 0, (), where)
    photos = Photos(require_reader(definition, where), channels)
    batch = min(photos.batch_size, len(files))
    needed = _needed(definition, blob, photos.layer, [batch, *photos.shape(files[0])], where)
    net = Net(needed, TEST, weights, device=device, random_seed=0, origin=where, python_layers=python_layers,
              allow_tf32=allow_tf32)
    values = []
    for start in range(0, len(files), batch):
        images = photos.read(files[start:start + batch], start)
        count = len(images)
        fill_inputs(net, **{photos.layer.top[0]: images})
        net.forward()
        rows = to_host(net.blobs[blob].data)
        if rows.shape[:1] != (count,):
            raise ShapeError(f"blob {blob!r}", expected=f"a row for each of {count} photos", got=f"shape {rows.shape}")
        values.append(np.array(rows, np.float32).reshape(count, -1))  # a copy: the net goes on
        if progress is not None:
            progress(count)
    net.context.doubts.settle()
    ids = np.array(first_ids(map(str, paths), len(paths)))
    return Codes.from_values(np.concatenate(values), threshold, block_size, ids=ids, blob=blob, net=where,
                             weights=os.fspath(weights))


class Photos:
    """Photos as the data layer `layer` takes images: read, resized, transformed by its transform_param.

    layer: its LayerParameter; batch_size. They are read gray or in colour as the layer reads its images, and
    get the size that these have before transform_param: new_height and new_width, or that of the first record of a
    database. If that is not known, and there is no resize_param, it is that of the mean_file or, for a database, of the
    crop; else they go into transform_param as they are.

    `channels` is the order that the net learnt, bgr or rgb. None: bgr, as image files and compressed records are read.
    But raw records of a database do not say theirs (convert_imageset writes bgr, CIFAR-10 is rgb): for a net in colour
    that reads such records, or a database that is not there, NetError asks for it.
    """

    def __init__(self, layer: Message, channels: str | None = None):
        cls, self.layer = declarations(layer), layer
        where = layer_where(layer.name, layer.type)
        if cls.source_field not in SOURCES or "transform_param" not in (cls.options_field, *cls.more_options):
            raise NetError(where, expected="a layer that reads images, such as Data or ImageData", got=layer.type)
        options, listed = getattr(layer, cls.source_field), cls.source_field == "image_data_param"
        self.batch_size = max(1, options.batch_size)
        self.transformer = Transformer(layer.transform_param, False, f"{where} transform_param")
        if listed:
            shape: tuple[int, ...] = (3 if options.is_color else 1, options.new_height, options.new_width)
            raw = False
        else:
            raw, shape = self._records(options.source)
        depth, *size = shape
        if depth not in (1, 3):
            raise NetError(where, expected="images of 1 or 3 channels, as photos have", got=depth)
        if raw and depth == 3 and channels is None:
            raise NetError(where, f"the order of the colours in {options.source!r} is not known", hint="give it: "
                           "--channels rgb for an imported CIFAR-10, bgr for a database by convert_imageset")
        self.color, self.reversed = depth == 3, depth == 3 and channels == "rgb"
        mean = self.transformer.mean_image
        if not all(size) and not self.transformer.resizer:
            size = list(mean.shape[1:] if mean is not None else (0, 0) if listed else self.transformer.crop)
        self.size = (size[0], size[1]) if all(size) else None

    def shape(self, path: str) -> tuple[int, int, int]:
        """The shape (C, H, W) that photos get, judged by this one."""
        return self.transformer.output_shape(self._read(path).shape)

    def read(self, paths: Sequence[str], number: int) -> np.ndarray:
        """The photos as the net takes them, float32 (N, C, H, W). What is random comes from the `number` of the first.
        """
        images = in_parallel(self._read, paths)
        out = np.empty((len(images), *self.transformer.output_shape(images[0].shape)), np.float32)
        self.transformer(images, out, random_stream(0, number))
        return out

    def _read(self, path: str) -> np.ndarray:
        image = read_photo(path, self.color, self.size)
        return image[::-1] if self.reversed else image

    def _records(self, source: str) -> tuple[bool, tuple[int, ...]]:
        """Whether the images of the database are raw bytes; their shape (C, H, W), 0 where it is not known."""
        if os.path.isdir(source):
            reader = open_database(source)
            datum = parse_datum(reader.read(), reader.where)
            return not datum.encoded, datum_to_array(datum, self.transformer.color, reader.where).shape
        mean = self.transformer.mean_image
        return True, (max(3, len(self.transformer.mean_values)) if mean is None else len(mean), 0, 0)


def _needed(net: Message, blob: str, reader: Message, shape: Sequence[int], where: str) -> Message:
    """The layers of `net` that `blob` needs, behind an Input of this shape in the place of the layer `reader`."""
    made = {top for layer in net.layer for top in layer.top}
    if blob not in made:
        raise NetError(where, f"no blob {blob!r} to encode", hint=close_matches(blob, made))
    wanted, layers = {blob}, []
    for layer in reversed(net.layer):
        if wanted.intersection(layer.top) and layer.name != reader.name:
            layers.append(layer)
            wanted.update(layer.bottom)
    others = sorted(wanted.intersection(reader.top[1:]))
    if others:
        raise NetError(where, f"blob {blob!r} needs {', '.join(others)}, which photos do not have")
    result = without(net, "layer")
    first = result.layer.add(name=reader.name, type="Input", top=reader.top[:1])
    first.input_param.shape.add().dim.extend(shape)
    result.layer.extend(reversed(layers))
    return result
