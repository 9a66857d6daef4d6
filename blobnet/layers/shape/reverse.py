"""The opposite order along an axis."""

from __future__ import annotations

from blobnet.core.moving_layer import MovingLayer
from blobnet.core.registry import register
from blobnet.errors import ShapeError


@register
class Reverse(MovingLayer):
    """Turn the order along an axis round, such as time in a network that reads a sequence from its end.

    y_t = x_(T - 1 - t),   dx_t = dy_(T - 1 - t)

    Bottoms: x (T, ...), or T on another axis    Tops: y (as x)    Params: none
    Options: axis (0)
    Paper: Tian et al., Detecting Text in Natural Image with Connectionist Text Proposal Network, ECCV 2016.
    Quirks: a negative axis is refused.
    """

    options_field = "reverse_param"
    passes_labels = True
    key_options = {"axis": "axis"}

    def reshape(self, bottom, top):
        axis, shape = self.options.axis, bottom[0].shape
        if not 0 <= axis < len(shape):
            raise ShapeError(self.where, expected=f"an axis in [0, {len(shape)}) of a blob of shape {shape}",
                             got=f"axis {axis}")
        self.reversed = (*[slice(None)] * axis, slice(None, None, -1))
        top[0].reshape(shape)

    def forward(self, bottom, top):
        top[0].data[...] = bottom[0].data[self.reversed]

    def backward(self, top, propagate_down, bottom):
        if propagate_down[0]:
            bottom[0].diff[...] = top[0].diff[self.reversed]
