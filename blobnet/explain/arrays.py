"""The arrays of a page, as far as there is room."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from blobnet.explain.payload import Pack, share
from blobnet.explain.stage import Stage
from blobnet.view.summary import shape_text

NUMBERS = 300_000      # that a page keeps of all arrays, and so many more for each layer
NUMBERS_A_LAYER = 8_000


class Arrays:
    """The arrays of a page: what does not fit is cut to a corner, and said."""

    def __init__(self, shapes: Sequence[Sequence[int]], budget: int):
        self.pack, self.left_out, self._most = Pack(), list[str](), share(shapes, budget)

    def floats(self, values: np.ndarray, name: str) -> dict[str, Any]:
        """An array in the pack; `name` is said where it is cut."""
        array = self.pack.floats(values, self._most)
        if array["shape"] != array["full"]:
            self.left_out.append(f"{name}: {shape_text(array['shape'])} of {shape_text(values.shape)} are here")
        return array


def arrays_for(stage: Stage, updates: bool) -> Arrays:
    """Room for all arrays of a stage that has run; `updates`: whether those of the parameters' updates come too."""
    shapes = [array.shape for value in stage.values for array in (value.data, value.diff) if array is not None]
    for scene in stage.scenes.values():
        shapes += [blob.shape for blob in scene.node.layer.blobs] * (3 if updates else 2)
    return Arrays(shapes, NUMBERS + NUMBERS_A_LAYER * len(stage.scenes))
