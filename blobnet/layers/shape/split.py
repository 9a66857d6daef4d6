"""Splitting of a blob that several layers read."""

from __future__ import annotations

from blobnet.core.moving_layer import MovingLayer
from blobnet.core.registry import register


@register
class Split(MovingLayer):
    """Hand one blob to several readers, and add up what comes back. Nets insert it where a blob is read twice.

    y_i = x,   dx = sum_i dy_i

    Bottoms: x    Tops: y_0, y_1, ... (as x)    Params: none
    Paper: none.
    Quirks: the tops share the data of the bottom.
    """

    num_tops = (1, None)
    is_split = passes_labels = keeps_coordinates = True

    def reshape(self, bottom, top):
        for blob in top:
            blob.reshape(bottom[0].shape)
            blob.share_data(bottom[0])

    def arithmetic(self):
        return {"kind": "copy"}

    def forward(self, bottom, top):
        pass

    def backward(self, top, propagate_down, bottom):
        if not propagate_down[0]:
            return
        dx = bottom[0].diff
        if len(top) == 1:
            dx[...] = top[0].diff
            return
        self.xp.add(top[0].diff, top[1].diff, out=dx)
        for blob in top[2:]:
            dx += blob.diff
