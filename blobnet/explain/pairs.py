"""The pairs of a batch, as a loss over pairs sees them: which are similar, how far apart, pulled or pushed how hard."""

from __future__ import annotations

import dataclasses

import numpy as np

from blobnet.backend import to_host
from blobnet.core.net import Net


@dataclasses.dataclass
class SeenPairs:
    """The pairs of the N rows of a batch, as NumPy arrays of their own.

    layer: layer.index of the loss; name: its name; margin: the distance from which on pairs that are not similar are
    left alone, None if there is none. codes (N, K); labels (N,): classes, or of rows with one 0/1 column a label the
    first with a 1, -1 if there is none. distances (N, N): squared; similar (N, N): booleans; force (N, N): the
    derivative of the loss by the distance, without the loss weight, above 0 where it pulls together, below 0 where it
    pushes apart.
    """

    layer: int
    name: str
    margin: float | None
    codes: np.ndarray
    labels: np.ndarray
    distances: np.ndarray
    similar: np.ndarray
    force: np.ndarray


def see_pairs(net: Net) -> list[SeenPairs]:
    """The pairs of the last forward pass of `net`, for each of its losses over all pairs of a batch, in their order."""
    found = []
    for node in net.nodes:
        pairs = node.layer.code_pairs(node.bottoms)
        if pairs is not None:
            codes = np.array(to_host(node.bottoms[0].data))
            labels = to_host(node.bottoms[node.layer.unforced_bottoms[0]].data)
            found.append(SeenPairs(node.layer.index, node.layer.name, pairs.margin, codes.reshape(len(codes), -1),
                                   _one_label_a_row(labels), to_host(pairs.distances), to_host(pairs.similar),
                                   to_host(pairs.force)))
    return found


def _one_label_a_row(labels: np.ndarray) -> np.ndarray:
    rows = labels.reshape(len(labels), -1)
    if rows.shape[1] == 1:
        return rows[:, 0].astype(int)
    return np.where((rows > 0).any(axis=1), (rows > 0).argmax(axis=1), -1)
