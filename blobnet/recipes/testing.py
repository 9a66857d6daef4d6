"""A net over all test images of its data layer, each of them once; and these images as pictures."""

from __future__ import annotations

import os

import numpy as np
from google.protobuf.message import Message

from blobnet.core.context import TEST
from blobnet.core.net import Net
from blobnet.errors import DataError
from blobnet.hashing.encode import require_blob, set_source
from blobnet.netdef.load import load
from blobnet.recipes.trial import Trial


def net_in_test(trial: Trial, net: Message, weights: str | os.PathLike | None = None, *blobs: str) -> tuple[Net, int]:
    """The net in TEST, and how many batches its images are, of which the first of `blobs` has one a row.

    NetError if one of the blobs is not there, DataError if some images would be left over.
    """
    definition = load(net, TEST)
    source, count = set_source(definition, f"net {net.name!r}")
    built = Net(definition, TEST, weights, device=trial.device, python_layers=trial.python_layers)
    for blob in blobs:
        require_blob(built, blob, "to score")
    batch = built.blobs[blobs[0]].shape[0]
    if count % batch:
        raise DataError(trial.where, "batch_size in TEST", expected=f"a divisor of {count}, the images of {source}",
                        got=batch)
    return built, count // batch


def pictures(images: np.ndarray) -> np.ndarray:
    """Images (N, 3, H, W) as a net reads them, blue first, as (N, H, W, 3), red first, from 0 to 255."""
    low, high = images.min(), images.max()
    return ((images[:, ::-1] - low) * (255 / max(high - low, 1e-12))).astype(np.uint8).transpose(0, 2, 3, 1)
