"""What a pass left in the layers of a net."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from blobnet.backend import to_host
from blobnet.core.layer import Layer
from blobnet.core.net import Net


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


def see(net: Net) -> list[Seen]:
    """What forward and backward left in `net`: on the CPU the blobs' own arrays, which the next pass overwrites. A blob
    shows what the last layer that works on it in place left there."""
    def diffs(blobs, wanted):
        return [to_host(blob.diff) if needed else None for blob, needed in zip(blobs, wanted, strict=True)]

    found = []
    for node in net.nodes:
        layer = node.layer
        learns = [node.needs_backward and wanted for wanted in layer.param_propagate_down]
        found.append(Seen(layer, [to_host(blob.data) for blob in node.tops],
                          diffs(node.bottoms, node.bottom_needs_backward), [to_host(blob.data) for blob in layer.blobs],
                          diffs(layer.blobs, learns)))
    return found


def rms(array: np.ndarray) -> float:
    """The root mean square, without overflow; nan or inf if a number is not finite, 0 for no numbers."""
    largest = float(abs(array).max(initial=0))
    if largest == 0 or not math.isfinite(largest):
        return largest
    return largest * float(np.sqrt(np.square(array / largest).mean()))
