"""ViewLayer: the base class of layers whose top is their bottom in another shape."""

from __future__ import annotations

from blobnet.core.layer import Layer
from blobnet.core.moving_layer import MovingLayer


class ViewLayer(MovingLayer):
    """A layer whose top may use the memory of its bottom, so that there is nothing to compute, forward or backward.

    It is always the top that uses the memory of the bottom, never the other way round: other blobs (a parameter) may
    share the memory of the bottom.
    """

    def share(self, bottom, top) -> None:
        """Let the top, which has been shaped, use the data and the diff of the bottom."""
        top[0].share_data(bottom[0])
        top[0].share_diff(bottom[0])

    def arithmetic(self):
        return {"kind": "copy"}

    def forward(self, bottom, top):
        pass

    def backward(self, top, propagate_down, bottom):
        hang_weight(self, top)


def hang_weight(layer: Layer, top, i: int = 0) -> None:
    """Write the loss weight into the diff of top i again: other blobs share that diff and may have overwritten it."""
    if layer.loss_weights[i]:
        top[i].diff.fill(layer.loss_weights[i])
