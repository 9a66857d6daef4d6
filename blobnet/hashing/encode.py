"""Turning the images of a net's data layer into hash codes."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import numpy as np
from google.protobuf.message import Message

from blobnet.backend import to_host
from blobnet.core.net import Net
from blobnet.core.registry import declarations
from blobnet.data.stores.ids import first_ids
from blobnet.errors import DataError, NetError, ShapeError, close_matches
from blobnet.hashing.codes import Codes
from blobnet.netdef.fields import layer_where


def encode(net: Net, blob: str, count: int, label: str | None = "label", threshold: float = 0.0,
           progress: Callable[[int], object] | None = None, net_file: str | os.PathLike = "",
           weights_file: str | os.PathLike = "") -> Codes:
    """The codes of the first `count` images of the net's data layers, or of what it is fed: the values of `blob`, one
    row for each image.

    `label` names the blob whose rows are kept as labels (None for no labels). A bit is 1 where the value is at least
    `threshold`. `progress` is called with the number of new codes after every batch. `net_file` and
    `weights_file` are written into the codes. Only the layers up to those that make `blob` and `label` run.
    If one layer reads a source in order, the names of its records (keys of a database, paths of a list) become the
    ids of the codes. Raises NetError for a blob that is not there, DataError for a count below 1 or above the number
    of images, ShapeError for blobs without a row for each image.
    """
    require_blob(net, blob)
    if label is not None:
        require_blob(net, label, "of labels")
    sources: list[Any] = [layer for layer in net.layers if net.fed is None
                          and getattr(layer, "records", None) is not None]
    most = min((layer.records for layer in sources), default=None)
    if count < 1 or most is not None and count > most:
        raise DataError(f"net {net.name!r}", got=f"a count of {count}",
                        expected="at least 1 image" if most is None else f"1 to {most} images")
    last = next(layer.name for layer in reversed(net.layers) if {blob, label} & {*layer.param.top})
    values, labels, done = [], [], 0
    net.seek(0)
    while done < count:
        net.forward(end=last)
        rows = to_host(net.blobs[blob].data)
        if rows.ndim < 1 or not len(rows):
            raise ShapeError(f"blob {blob!r}", expected="a row for each image", got=f"shape {rows.shape}")
        take = min(len(rows), count - done)
        values.append(rows.reshape(len(rows), -1)[:take].astype(np.float32))  # a copy: the net goes on
        if label is not None:
            given = to_host(net.blobs[label].data)
            if given.shape[:1] != rows.shape[:1]:
                raise ShapeError(f"blob {label!r}", expected=f"{len(rows)} rows of labels, as {blob!r} has",
                                 got=f"shape {given.shape}")
            labels.append(np.array(given).reshape(len(rows), -1)[:take])
        done += take
        if progress is not None:
            progress(take)
    net.context.doubts.settle()
    names = sources[0].record_names if len(sources) == 1 else None
    ids = first_ids(names(), count) if names else None
    return Codes.from_values(np.concatenate(values), threshold, labels=np.concatenate(labels) if labels else None,
                             ids=ids, blob=blob, net=os.fspath(net_file), weights=os.fspath(weights_file))


def set_source(definition: Message, where: str, source: str | os.PathLike | None = None) -> tuple[str, int]:
    """Let the one layer with images of `definition`, a net loaded in TEST, read `source` (None: its own).

    That is what its type reads: a database, or for ImageData and HashingImageData a list. Returns its path, and how
    many images it holds. NetError, beginning with `where`, unless one layer has a source of records.
    """
    layer = require_reader(definition, where)
    cls = declarations(layer)
    options = getattr(layer, cls.source_field)
    if source is not None:
        options.source = os.fspath(source)
    if not options.source:
        raise NetError(layer_where(layer.name, layer.type), "no source")
    return options.source, cls.count_records(layer)


def label_blob(definition: Message, where: str) -> str:
    """What the net calls its labels: "label" if a layer makes that, else the first top with labels of its reader."""
    layer = require_reader(definition, where)
    tops = [top for i, top in enumerate(layer.top) if i in declarations(layer).label_tops]
    return tops[0] if tops and not any("label" in each.top for each in definition.layer) else "label"


def require_reader(definition: Message, where: str) -> Message:
    """The one layer that reads records from a source; NetError, beginning with `where`, unless there is one."""
    layers = [layer for layer in definition.layer if declarations(layer).source_field]
    if len(layers) != 1:
        raise NetError(where, expected="one layer that reads images or other records in the TEST phase",
                       got=len(layers), hint="from Python, blobnet.hashing.encode takes any net")
    return layers[0]


def require_blob(net: Net, name: str, purpose: str = "to encode") -> None:
    """NetError, which says the purpose, if the net has no blob of that name."""
    if name not in net.blobs:
        raise NetError(f"net {net.name!r}", f"no blob {name!r} {purpose}", hint=close_matches(name, net.blobs))
