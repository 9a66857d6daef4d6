"""ViewLayer: the base class of layers whose top is their bottom in another shape."""

from __future__ import annotations

from blobnet.core.layer import Layer


class ViewLayer(Layer):
    """A layer whose top may use the memory of its bottom: then nothing is left to do forward, nor backward.

    It is always the top that follows its bottom. A bottom never takes the memory of a top, for other blobs (a
    parameter) may share with the bottom.
    """

    def share(self, bottom, top) -> None:
        """Let the top, which has its shape, use data and diff of the bottom."""
        top[0].share_data(bottom[0])
        top[0].share_diff(bottom[0])

    def forward(self, bottom, top):
        pass

    def backward(self, top, propagate_down, bottom):
        hang_weight(self, top)


def hang_weight(layer: Layer, top) -> None:
    """Write the loss weight of a top whose diff others clear or overwrite, because they share it."""
    if layer.loss_weights[0]:
        top[0].diff.fill(layer.loss_weights[0])
