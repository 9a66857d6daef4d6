"""Mean images."""

from __future__ import annotations

import os
from collections.abc import Iterable

import numpy as np

from blobnet.errors import DataError
from blobnet.proto.blobs import read_blob


def read_mean(path: str | os.PathLike) -> np.ndarray:
    """The mean image in the .binaryproto file at `path`, float32 (C, H, W); DataError if it holds no single image.

    The mean of clips, (1, C, L, H, W), counts as an image of C * L channels.
    """
    mean = read_blob(path)
    if mean.ndim == 5 and len(mean) == 1 and mean.size:
        mean = mean.reshape(-1, *mean.shape[3:])
    if mean.ndim == 4 and len(mean) == 1:
        mean = mean[0]
    if mean.ndim != 3 or not mean.size:
        raise DataError(f"mean file {os.fspath(path)!r}", expected="one image (1, C, H, W)", got=f"shape {mean.shape}")
    return mean.astype(np.float32, copy=False)


def mean_image(blocks: Iterable[np.ndarray]) -> np.ndarray:
    """The mean over all images of `blocks`, arrays (N, C, H, W), as float32 (C, H, W).

    Quirk: Caffe's compute_image_mean adds up in float32, which is exact up to 65,793 images of bytes. Here the sums are
    exact for any number of them.
    """
    total, count = np.zeros((), np.int64), 0
    for block in blocks:
        total = total + block.sum(axis=0, dtype=np.int64 if block.dtype == np.uint8 else np.float64)
        count += len(block)
    if not count:
        raise DataError("mean image", expected="at least one image", got="none")
    return total.astype(np.float32) / np.float32(count)
