"""What the layers of one net have in common."""

from __future__ import annotations

import dataclasses
from types import ModuleType

import numpy as np

TRAIN, TEST = 0, 1  # the values of the schema's enum Phase


@dataclasses.dataclass
class Context:
    """Array module, dtype, random seed and step of a net, and whether layers may import modules that its file names.

    `step` is the number of forward passes done. Every random number is a function of (seed, layer, step), so a run
    that is resumed at a step continues as the uninterrupted one would.
    """

    xp: ModuleType = np
    dtype: np.dtype = dataclasses.field(default_factory=lambda: np.dtype("float32"))
    seed: int = 0
    step: int = 0
    python_layers: bool = False
