"""Labels that blobs can hold."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from blobnet.backend import whole_limit
from blobnet.errors import DataError


def check_labels(labels: np.ndarray, dtype: np.dtype, place: Callable[[int], str]) -> None:
    """DataError at `place(n)` for the first row n of integers `labels`, (N,) or (N, L), that `dtype` may round."""
    limit = whole_limit(dtype)
    rows = (abs(labels) >= limit).reshape(len(labels), math.prod(labels.shape[1:])).any(axis=1)
    if rows.any():
        row = int(rows.argmax())
        raise DataError(place(row), expected=f"a label below {limit} in size, as blobs of {dtype} hold them",
                        got=int(abs(labels[row]).max()), hint="number the classes from 0, or run in float64")
