"""Parameters to and from NetParameter messages."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
from google.protobuf.message import Message

from blobnet.backend import to_host
from blobnet.core.blob import Blob
from blobnet.core.building_log import log_ignored
from blobnet.core.layer import Layer
from blobnet.core.trouble import no_memory
from blobnet.core.weights_named import REMEDY, name_parameters, read_parameters
from blobnet.errors import DataError, NetError, ShapeError
from blobnet.netdef.upgrade import upgrade_net
from blobnet.proto.binary import read_weights, write_weights
from blobnet.proto.blobs import blob_array, blob_shape, is_legacy, set_blob
from blobnet.proto.files import FORMATS, read_message
from blobnet.proto.messages import convert
from blobnet.proto.named_arrays import array_format, holds_named_arrays, read_named, write_named

NOT_WRITTEN = {".onnx", ".npy", ".mat", ".json", ".prototxt", ".pbtxt", ".yaml", ".yml"}


class Copied(list[str]):
    """The names of the layers that got their parameters from a file, in the order of the file.

    reshaped: those of them whose shapes in the file have leading ones that the net's have not, or the other way round;
    left: the layers of the net that got no parameter, not by sharing it either, and keep what they have; unused: the
    layers of the file with parameters that the net does not have.
    """

    def __init__(self, names: Iterable[str], layers: Sequence[Layer], given: Iterable[str], reshaped: Iterable[str]):
        super().__init__(names)
        here = {layer.name for layer in layers}
        got = {id(blob.memory) for layer in layers if layer.name in self for blob in layer.blobs}
        self.left = [layer.name for layer in layers if layer.blobs and got.isdisjoint(
            id(blob.memory) for blob in layer.blobs)]
        self.unused = [name for name in given if name not in here]
        self.reshaped = list(dict.fromkeys(reshaped))

    def lines(self) -> list[str]:
        """What there is to say beside the names, a sentence each."""
        told = (("Reshaped from the older format", self.reshaped), ("Not in this file, so as they were", self.left),
                ("In this file, and not in the net", self.unused))
        return [f"{words}: {', '.join(names)}" for words, names in told if names]


def _is_binary(path: str | os.PathLike) -> bool:
    return FORMATS.get(Path(path).suffix.lower(), "binary") == "binary"


def read_weight_message(source: str | os.PathLike | Message, layers: Iterable[Message] = ()) -> tuple[Message, list]:
    """The net with weights in `source`, of any generation, upgraded, and the arrays beside it.

    layers: LayerParameters of the net that they are for, which say what the names in a file of named arrays mean.
    """
    if isinstance(source, Message):
        return upgrade_net(convert(source)), []
    if holds_named_arrays(source):
        return read_parameters(read_named(source), layers, source)
    if _is_binary(source):
        message, arrays = read_weights(source)
    else:
        message, arrays = read_message(source, "NetParameter"), []
    return upgrade_net(message, os.fspath(source)), arrays


def copy_weights(layers: Sequence[Layer], source: str | os.PathLike | Message) -> Copied:
    """Copy the parameters of `source` into the layers of the same names, and return these names.

    Everything is checked before anything is copied. The four numbers of a legacy shape fit a shape without the leading
    ones. ShapeError names both shapes and the remedy; NetError if a layer has another number of parameters.
    """
    message, arrays = read_weight_message(source, (layer.param for layer in layers))
    if not isinstance(source, Message) and not _is_binary(source) and not any(item.blobs for item in message.layer):
        raise NetError(os.fspath(source), expected="weights", got="a net without any",
                       hint="give its .caffemodel; the definition of a net holds no weights")
    what = "copying parameters" if isinstance(source, Message) else f"copying parameters from {os.fspath(source)!r}"
    targets: dict[str, Layer] = {}
    for layer in layers:
        targets.setdefault(layer.name, layer)
    copies, names, reshaped = [], [], []
    for theirs in message.layer:
        layer = targets.get(theirs.name)
        if layer is None:
            log_ignored(theirs.name)
        if layer is None or (not theirs.blobs and not layer.blobs):
            continue
        if len(theirs.blobs) != len(layer.blobs):
            raise NetError(layer.where, what, expected=f"{len(layer.blobs)} blobs", got=len(theirs.blobs), hint=REMEDY)
        for i, (blob, given) in enumerate(zip(layer.blobs, theirs.blobs)):
            values, shape = blob_array(given, arrays), blob_shape(given)
            if not fits(layer, i, shape, legacy=is_legacy(given)):
                raise ShapeError(layer.where, f"{what}, number {i}", expected=f"shape {blob.shape}",
                                 got=f"shape {shape}", hint=REMEDY)
            if values.size != blob.count:
                raise ShapeError(layer.where, f"{what}, number {i}", expected=f"{blob.count} numbers for shape {shape}",
                                 got=values.size, hint="the file is damaged")
            copies.append((blob, values))
            if shape != blob.shape:
                reshaped.append(layer.name)
        names.append(layer.name)
    assign(copies)
    return Copied(names, layers, (theirs.name for theirs in message.layer if theirs.blobs), reshaped)


def share_weights(layers: Sequence[Layer], theirs: Mapping[str, Sequence[Blob]], net: str) -> None:
    """Let the parameters of `layers` use the values of those of the same layer names in the net `net`, `theirs`.

    ShapeError, and nothing is shared, if a layer of the same name has other shapes.
    """
    pairs: list[tuple[Blob, Blob]] = []
    for layer in layers:
        if layer.name in theirs:
            mine, given = ([blob.shape for blob in blobs] for blobs in (layer.blobs, theirs[layer.name]))
            if mine != given:
                raise ShapeError(layer.where, f"sharing parameters with net {net!r}",
                                 expected=f"shapes {', '.join(map(str, mine))}",
                                 got=f"shapes {', '.join(map(str, given))}")
            pairs += zip(layer.blobs, theirs[layer.name])
    for blob, owner in pairs:
        blob.share_data(owner)


def none_copied(source: str | os.PathLike | Message, net: str) -> dict[str, str]:
    """The text of an error about weights none of whose layers is in the net `net`."""
    file = "the weights" if isinstance(source, Message) else repr(os.fspath(source))
    return dict(message=f"no layer with parameters in {file} has the name of one of net {net!r}",
                hint="give the weights of such a net")


def assign(copies: Iterable[tuple[Blob, np.ndarray]]) -> None:
    """Copy each array, of any shape and precision, into the blob beside it, which holds as many numbers."""
    with np.errstate(over="ignore"):  # a double that is too large for a float becomes inf
        for blob, values in copies:
            try:
                blob.data[...] = blob.xp.asarray(values.astype(blob.dtype, copy=False)).reshape(blob.shape)
            except MemoryError as error:
                raise no_memory(blob.name, error) from error


def fits(layer: Layer, index: int, given: tuple[int, ...], legacy: bool) -> bool:
    """Whether the saved shape `given` fits a parameter; a `legacy` shape of four numbers may begin with ones."""
    shape = layer.blobs[index].shape
    if layer.saved_without_ones:
        given += (1,) * (len(shape) - len(given))
    return given == shape or (legacy and len(shape) <= 4 and given == (1,) * (4 - len(shape)) + shape)


def write_net(path: str | os.PathLike, definition: Message, layers: Sequence[Layer], diff: bool = False) -> None:
    """Write `definition` with the parameters of `layers`, and their gradients if `diff`, atomically.

    A path that ends in .safetensors, .npz, .pt or .pth becomes a file of named arrays, without `definition`; DataError
    if it should hold gradients. DataError for a path that ends as the files of other programs do.
    """
    if array_format(path):
        if diff:
            raise DataError(os.fspath(path), "no gradients are written in this format",
                            hint="write a .caffemodel or .h5")
        layers_of = ((layer.param, [np.asarray(to_host(blob.data)) for blob in layer.blobs]) for layer in layers)
        return write_named(path, name_parameters(layers_of, os.fspath(path)))
    ending = Path(path).suffix.lower()
    if ending in NOT_WRITTEN:
        raise DataError(os.fspath(path), "weights are not written in this format", got=ending,
                        expected="a name that ends in .caffemodel, .h5, .safetensors, .npz or .pt")
    message = type(definition)()
    arrays: list = []
    message.name = definition.name
    for layer in layers:
        saved = message.layer.add()
        saved.CopyFrom(layer.param)
        saved.ClearField("blobs")
        for blob in layer.blobs:
            given = saved.blobs.add()
            set_blob(given, np.asarray(to_host(blob.data)), arrays)
            if diff:
                set_blob(given, np.asarray(to_host(blob.diff)), arrays, "diff")
    write_weights(path, message, arrays)
