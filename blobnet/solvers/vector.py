"""All parameters as one vector, for algorithms that see them so."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from blobnet.backend import to_host
from blobnet.core.parameters import Parameter


def gather(parameters: Sequence[Parameter], which: str) -> np.ndarray:
    """The data or the diffs of `parameters` as one vector in double precision."""
    arrays = [to_host(getattr(parameter.blob, which)).reshape(-1) for parameter in parameters]
    return np.concatenate([np.empty(0), *arrays])


def scatter(parameters: Sequence[Parameter], which: str, values: np.ndarray) -> None:
    """Write a vector as `gather` makes it back into `parameters`."""
    first = 0
    for parameter in parameters:
        blob = parameter.blob
        piece = values[first:first + blob.count].reshape(blob.shape).astype(blob.dtype)
        getattr(blob, which)[...] = blob.xp.asarray(piece)
        first += blob.count
