"""What is detected in the images of a batch, as rows of one blob."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from blobnet.core.blob import Blob

ROW = 7  # numbers of a detection: image, label, score, x1, y1, x2, y2


def write_detections(rows: Sequence[np.ndarray], top: Blob) -> None:
    """Write the rows (D, 7) of each image one below the other into `top`, (1, 1, sum of D, 7); if there are none, a row
    [image, -1, ...] for every image."""
    found = np.concatenate([*rows, np.empty((0, ROW), top.dtype)])
    if not len(found):
        found = np.full((len(rows), ROW), -1, top.dtype)
        found[:, 0] = np.arange(len(rows))
    top.reshape((1, 1, *found.shape))
    top.data[...] = top.xp.asarray(found)
