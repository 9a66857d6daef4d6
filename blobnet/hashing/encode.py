"""Turning the images of a net's data layer into hash codes."""

from __future__ import annotations

import os
from collections.abc import Callable

import numpy as np

from blobnet.backend import to_host
from blobnet.core.net import Net
from blobnet.errors import DataError, NetError, ShapeError, close_matches
from blobnet.hashing.codes import Codes


def encode(net: Net, blob: str, count: int, label: str | None = "label", threshold: float = 0.0,
           progress: Callable[[int], object] | None = None, net_file: str | os.PathLike = "",
           weights_file: str | os.PathLike = "") -> Codes:
    """The codes of the first `count` images of the net's data layers: the values of `blob`, a row an image.

    `label` names the blob whose rows are kept as labels (None for no labels). A bit is 1 where the value is at least
    `threshold`. `progress` is called with the number of new codes after every batch. `net_file` and
    `weights_file` are written into the codes. Only the layers up to those that make `blob` and `label` run.
    Raises NetError for other names; DataError for a count below 1 or above the images there are; ShapeError.
    """
    require_blob(net, blob)
    if label is not None:
        require_blob(net, label, "of labels")
    most = min((layer.records for layer in net.layers if getattr(layer, "records", None) is not None), default=None)
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
            raise ShapeError(f"blob {blob!r}", expected="a row an image", got=f"shape {rows.shape}")
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
    return Codes.from_values(np.concatenate(values), threshold, labels=np.concatenate(labels) if labels else None,
                             blob=blob, net=os.fspath(net_file), weights=os.fspath(weights_file))


def require_blob(net: Net, name: str, purpose: str = "to encode") -> None:
    """NetError, which says the purpose, if the net has no blob of that name."""
    if name not in net.blobs:
        raise NetError(f"net {net.name!r}", f"no blob {name!r} {purpose}", hint=close_matches(name, net.blobs))
