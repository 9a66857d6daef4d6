"""Several arrays as one vector, for algorithms that see them so."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from blobnet.backend import Array, array_module, to_host


def gather(arrays: Sequence[Array]) -> np.ndarray:
    """The numbers of `arrays` as one vector in double precision."""
    return np.concatenate([np.empty(0), *(to_host(array).reshape(-1) for array in arrays)])


def scatter(arrays: Sequence[Array], values: np.ndarray) -> None:
    """Write a vector as `gather` makes it back into `arrays`."""
    first = 0
    for array in arrays:
        piece = values[first:first + array.size].reshape(array.shape).astype(array.dtype)
        array[...] = array_module(array).asarray(piece)
        first += array.size
