"""An exercise: a layer with blanks, and what grades it."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np


@dataclasses.dataclass(frozen=True)
class Exercise:
    """What a file with blanks says of the layer that it asks for; the file names it `EXERCISE`.

    layer: its prototxt, `layer { … type: "MySigmoid" … }`; bottoms: arrays, or shapes to fill with normal numbers;
    same_as: the type of blobnet that computes the same from the same options and parameters, which forward is held
    against. A blank is an `...` that stands for an expression.
    """

    layer: str
    bottoms: Sequence[np.ndarray | tuple[int, ...]]
    same_as: str
