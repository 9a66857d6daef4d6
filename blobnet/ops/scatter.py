"""Adding to places that may repeat."""

from __future__ import annotations

import numpy as np

from blobnet.backend import twin


@twin
def scatter_add(target, index, values) -> None:
    """target[index[i]] += values[i], for every i in turn, also where an index comes several times."""
    np.add.at(target, index, values)


@scatter_add.cuda
def _scatter_add_cuda(target, index, values) -> None:
    import cupyx
    cupyx.scatter_add(target, index, values)
