"""Input."""

from __future__ import annotations

from blobnet.core.registry import register
from blobnet.errors import NetError
from blobnet.layers.data._base import Source


@register
class Input(Source):
    """Blobs that the user fills.

    y_i = what the user has written into it, 0 before that

    Bottoms: none   Tops: y_0, y_1, ... of the shapes given   Params: none
    Options: shape, one for all tops or one a top; without any, the tops are numbers without axes at first
    Paper: none.
    Quirks: forward does nothing, so that values stay until the user writes others. `shape` counts when the net is
    built; afterwards the user may reshape the tops, and `net.forward(name=values)` does.
    """

    options_field = "input_param"
    is_input = True

    @classmethod
    def declared_shapes(cls, layer, batch):
        shapes = [tuple(shape.dim) for shape in layer.input_param.shape]
        return shapes * len(layer.top) if len(shapes) == 1 else shapes

    def setup(self, bottom, top):
        count = len(self.options.shape)
        if count not in (0, 1, len(top)):
            raise NetError(self.where, expected=f"one shape, or one a top ({len(top)})", got=count)
        for blob, shape in zip(top, self.declared_shapes(self.param, 0)):
            blob.reshape(shape)

    def forward(self, bottom, top):
        pass
