"""Mirror images."""

from __future__ import annotations

from blobnet.core.moving_layer import MovingLayer
from blobnet.core.registry import register
from blobnet.errors import ShapeError


@register
class Flip(MovingLayer):
    """Mirror maps: left becomes right, or the top the bottom, or both.

    y[n, c, h, w] = x[n, c, H - 1 - h, W - 1 - w], where h or w stay as they are if that axis is not flipped
    dx = dy, mirrored in the same way

    Bottoms: x (N, C, H, W)    Tops: y (N, C, H, W)    Params: none
    Options: flip_width (true), flip_height (false)
    Paper: none.
    Quirks: always done, not at random.
    """

    options_field = "flip_param"
    passes_labels = True

    def reshape(self, bottom, top):
        if bottom[0].num_axes != 4:
            raise ShapeError(self.where, expected="4 axes (N, C, H, W)", got=bottom[0].shape)
        height, width = (slice(None, None, -1 if flipped else 1)
                         for flipped in (self.options.flip_height, self.options.flip_width))
        self.mirrored = (..., height, width)
        top[0].reshape(bottom[0].shape)

    def forward(self, bottom, top):
        top[0].data[...] = bottom[0].data[self.mirrored]

    def backward(self, top, propagate_down, bottom):
        if propagate_down[0]:
            bottom[0].diff[...] = top[0].diff[self.mirrored]
