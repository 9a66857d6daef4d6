"""What a pass left in the layers of a net."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from blobnet.core.layer import Layer
from blobnet.explain.stage import Stage


class Seen(NamedTuple):
    """A layer and what a pass left there, as NumPy arrays; None for a diff that backward does not compute.

    tops: data; bottom_diffs and params, param_diffs: one a bottom, one a parameter.
    """

    layer: Layer
    tops: Sequence[np.ndarray]
    bottom_diffs: Sequence[np.ndarray | None]
    params: Sequence[np.ndarray]
    param_diffs: Sequence[np.ndarray | None]


class Mark(NamedTuple):
    """kind: dead, saturated, vanishing, exploding or idle; text: what is wrong, and what follows, in a sentence."""

    kind: str
    text: str


def see(stage: Stage) -> list[Seen]:
    """What forward and backward left in the layers of a stage that has run, its splits included."""
    found = []
    for node in stage.net.nodes:
        layer, scene = node.layer, stage.scenes.get(node.layer.index)
        if scene is None:  # a Split, which says where gradients go
            found.append(Seen(layer, [], [], [], []))
            continue
        learns = [node.needs_backward and wanted for wanted in layer.param_propagate_down]
        found.append(Seen(layer, [stage.values[value].data for value in scene.tops], scene.bottom_diffs,
                          [blob.data for blob in layer.blobs],
                          [diff if wanted else None for diff, wanted in zip(scene.param_diffs, learns)]))
    return found


def rms(array: np.ndarray) -> float:
    """The root mean square, without overflow; nan or inf if a number is not finite, 0 for no numbers."""
    largest = float(abs(array).max(initial=0))
    if largest == 0 or not math.isfinite(largest):
        return largest
    return largest * float(np.sqrt(np.square(array / largest).mean()))
