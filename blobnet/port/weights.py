"""Which parameters of a file of weights fit which layer of a net."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import NamedTuple

from blobnet.core.net import Net
from blobnet.core.weights import fits, read_weight_message
from blobnet.core.weights_named import by_layer, in_order
from blobnet.log.table import table
from blobnet.proto.blobs import blob_shape, is_legacy
from blobnet.proto.hdf5_bytes import is_hdf5
from blobnet.proto.named_arrays import holds_named_arrays, read_named
from blobnet.view.weight_files import weight_arrays

Shape = tuple[int, ...]


class Match(NamedTuple):
    """A layer of a net or of a file of weights.

    status: "copied"; "reshaped", copied from legacy shapes with leading ones; "mismatched", which makes copying fail;
    "left" as its fillers made it, as the file does not have it; "unused", as the net does not have it. net and file:
    the shapes of the parameters.
    """

    layer: str
    status: str
    net: list[Shape]
    file: list[Shape]


def match_weights(net: Net, path: str | os.PathLike) -> list[Match]:
    """What `net.copy_from(path)` would do with every layer that has parameters, those of the net first."""
    saved: dict[str, list[tuple[Shape, bool | None]]] = {}
    for name, shape, legacy in _saved(path, net):
        saved.setdefault(name, []).append((shape, legacy))
    found = []
    for layer in net.layers:
        if not layer.blobs:
            continue
        mine, given = [blob.shape for blob in layer.blobs], saved.get(layer.name, [])
        shapes = [shape for shape, _ in given]
        if not given:
            status = "left"
        elif len(mine) != len(given) or not all(
                legacy is not None and fits(layer, i, shape, legacy) for i, (shape, legacy) in enumerate(given)):
            status = "mismatched"
        else:
            status = "copied" if shapes == mine else "reshaped"
        found.append(Match(layer.name, status, mine, shapes))
    unused = [name for name in saved if name not in net.layer_dict]
    return found + [Match(name, "unused", [], [shape for shape, _ in saved[name]]) for name in unused]


def match_table(matches: list[Match]) -> str:
    """The matches as lines of text, and how many there are of each status."""
    rows = [("layer", "status", "net", "file"), *((match.layer, match.status, _shapes(match.net), _shapes(match.file))
                                                  for match in matches)]
    counts = {status: sum(match.status == status for match in matches) for status in dict.fromkeys(
        match.status for match in matches)}
    return f"{table(rows, left=range(4))}\n\n" + ", ".join(f"{count} {status}" for status, count in counts.items())


def _saved(path: str | os.PathLike, net: Net) -> Iterator[tuple[str, Shape, bool | None]]:
    """Of every array in the file: its layer, its shape, and whether it is one of the legacy ones, with leading ones;
    None if the names of the arrays of a layer are not those of its parameters."""
    if holds_named_arrays(path):
        for name, given in by_layer(read_named(path)).items():
            layer = net.layer_dict.get(name)
            arrays = in_order(layer.param, given) if layer else [*given.values()]
            for array in given.values() if arrays is None else arrays:
                yield name, array.shape, None if arrays is None else False
    elif is_hdf5(path):
        for name, _, array in weight_arrays(path):
            yield name, array.shape, array.ndim == 4
    else:
        for layer in read_weight_message(path)[0].layer:
            for blob in layer.blobs:
                yield layer.name, blob_shape(blob), is_legacy(blob)


def _shapes(shapes: list[Shape]) -> str:
    return ", ".join("x".join(map(str, shape)) or "()" for shape in shapes)
