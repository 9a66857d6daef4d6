"""Uniform random numbers, drawn where they are used."""

from __future__ import annotations

import numpy as np

from blobnet.backend import Array
from blobnet.ops.cuda.launch import launch


def uniform(out: Array, key: tuple[int, int], call: int, step: Array | int) -> None:
    blocks = -(-out.nbytes // 32)
    launch("uniform", blocks, out, *np.array(key, np.uint64).view(np.int64), call, step, out.size)
