"""Clipping."""

from __future__ import annotations

from blobnet.core.registry import register
from blobnet.errors import NetError
from blobnet.layers.activation._base import Elementwise
from blobnet.ops.elementwise import elementwise


@register
class Clip(Elementwise):
    """Keep values within bounds.

    y = max(min, min(x, max)),   dx = dy where min <= x <= max, else 0

    Bottoms: x (any shape)    Tops: y (as x; may be x itself, see Quirks)    Params: none
    Options: min, max (both required)
    Paper: none.
    Quirks: the gradient passes at the bounds themselves; in place, where backward sees y, it passes everywhere. Bounds
    in the wrong order give min. A nan becomes min. Without clip_param Caffe clips to 0; here that is refused.
    """

    options_field = "clip_param"

    @classmethod
    def bounds(cls, layer):
        return layer.clip_param.min, layer.clip_param.max

    def setup(self, bottom, top):
        if not self.param.HasField("clip_param"):
            raise NetError(self.where, expected="clip_param { min: … max: … }", got="none")

    def scalar(self):
        low, high = self.options.min, self.options.max
        return f"max({low!r}, min(x, {high!r}))", f"where(x >= {low!r}, where(x <= {high!r}, 1, 0), 0)"

    def forward(self, bottom, top):
        def part(x, y):
            self.xp.minimum(x, self.options.max, out=y)
            self.xp.fmax(y, self.options.min, out=y)

        elementwise(part, bottom[0].data, top[0].data)

    def backward(self, top, propagate_down, bottom):
        def part(x, dy, dx):
            inside = x >= self.options.min
            inside &= x <= self.options.max
            self.xp.multiply(dy, inside, out=dx)

        if propagate_down[0]:
            elementwise(part, bottom[0].data, top[0].diff, bottom[0].diff)
