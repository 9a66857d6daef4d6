"""A file of weights made into one of another format, without building a net."""

from __future__ import annotations

import os

import numpy as np
from google.protobuf.message import Message

from blobnet.core.weights import read_weight_message
from blobnet.core.weights_hdf5 import hdf5_arrays
from blobnet.core.weights_named import by_layer, name_message, read_parameters
from blobnet.errors import DataError
from blobnet.netdef.upgrade import upgrade_net
from blobnet.proto.binary import write_weights
from blobnet.proto.files import FORMATS, read_message
from blobnet.proto.hdf5_bytes import is_hdf5
from blobnet.proto.named_arrays import array_format, holds_named_arrays, read_named, write_named


def convert_weights(source: str | os.PathLike, target: str | os.PathLike,
                    net: str | os.PathLike | None = None) -> list[str]:
    """Write the weights in the file `source` to the file `target`; return what there is to say, a sentence each.

    source: a .caffemodel or a prototxt with numbers, an HDF5 file, or named arrays (.safetensors, .npz, .pt, .pth);
    target: named arrays, by the rule of `weights_named`, or a .caffemodel. net: the definition, from which the types
    of the layers are known; a .caffemodel as target is this net with the weights in it. All its layers count, whatever
    their phases; layers that it does not have are left out and named, and those that have nothing in the file get
    nothing, which whoever loads a .caffemodel is told. Without it a .caffemodel tells the types itself, an HDF5 file
    does not, and named arrays keep their names.
    DataError for a file without weights and for a .caffemodel without `net`; NetError for names that do not fit.
    """
    named = _named(source)
    if not named:
        raise DataError(os.fspath(source), expected="weights", got="a file without any")
    if net is None:
        if not array_format(target):
            raise DataError(os.fspath(target), "such a file holds the net too", hint="give it, as --net NET.prototxt")
        write_named(target, named)
        return [_counted(named)]
    definition = upgrade_net(read_message(net, "NetParameter"), os.fspath(net))
    message, arrays = read_parameters(named, definition.layer, source)
    here = {layer.name for layer in definition.layer}
    unused = [layer.name for layer in message.layer if layer.name not in here]
    del message.layer[len(message.layer) - len(unused):]
    if array_format(target):
        write_named(target, name_message(message, arrays, os.fspath(source)))
    else:
        _write_caffemodel(target, definition, message, arrays)
    kept = {full: array for full, array in named.items() if full.rpartition(".")[0] in here}
    left = [f"In this file, and not in the net: {', '.join(unused)}"] if unused else []
    return [_counted(kept), *left]


def _named(source: str | os.PathLike) -> dict[str, np.ndarray]:
    """The arrays of any file of weights by their names."""
    if is_hdf5(source):
        return {f"{layer}.{number}": array for layer, number, array in hdf5_arrays(source)}
    if holds_named_arrays(source):
        return read_named(source)
    return name_message(*read_weight_message(source), os.fspath(source))


def _write_caffemodel(target: str | os.PathLike, definition: Message, weights: Message, arrays: list) -> None:
    """Write `definition` with the blobs that the layers of the same names have in `weights`."""
    if FORMATS.get(os.path.splitext(os.fspath(target))[1].lower()) != "binary":
        raise DataError(os.fspath(target), expected="a name that ends in .caffemodel, .safetensors, .npz or .pt",
                        hint="for .h5, net.copy_from the file and net.save it")
    blobs = {layer.name: layer.blobs for layer in weights.layer}
    for layer in definition.layer:
        layer.ClearField("blobs")
        layer.blobs.extend(blobs.get(layer.name, []))
    write_weights(target, definition, arrays)


def _counted(named: dict[str, np.ndarray]) -> str:
    return f"{len(named)} arrays of {len(by_layer(named))} layers"
