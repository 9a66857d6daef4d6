"""Tiling."""

from __future__ import annotations

from blobnet.backend import folded
from blobnet.core.moving_layer import MovingLayer
from blobnet.core.registry import register
from blobnet.errors import NetError


@register
class Tile(MovingLayer):
    """Repeat a blob along an axis.

    y = [x, x, ...],   dx = the sum of the parts of dy

    Bottoms: x (N, C, H, W)    Tops: y (N, tiles*C, H, W), as x but for the axis    Params: none
    Options: axis (1; negative from the end), tiles (must be given), how often x stands in y
    Paper: none.
    Quirks: the whole axis is repeated, not its elements one by one: a b a b, not a a b b.
    """

    options_field = "tile_param"

    def setup(self, bottom, top):
        if self.options.tiles < 1:
            given = self.options.tiles if self.options.HasField("tiles") else "none"
            raise NetError(self.where, expected="tiles of at least 1", got=given)

    def reshape(self, bottom, top):
        axis, shape = bottom[0].canonical_axis(self.options.axis, self.where), list(bottom[0].shape)
        outer, inner = folded(shape, axis)
        self.single, self.tiled = (outer, 1, inner), (outer, self.options.tiles, inner)
        shape[axis] *= self.options.tiles
        top[0].reshape(shape)

    def forward(self, bottom, top):
        top[0].data.reshape(self.tiled)[...] = bottom[0].data.reshape(self.single)

    def backward(self, top, propagate_down, bottom):
        if propagate_down[0]:
            top[0].diff.reshape(self.tiled).sum(axis=1, keepdims=True, out=bottom[0].diff.reshape(self.single))
