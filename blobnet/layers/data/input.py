"""Input."""

from __future__ import annotations

from blobnet.core.registry import register
from blobnet.errors import NetError
from blobnet.layers.data._base import Source


@register
class Input(Source):
    """Blobs that the user fills.

    Bottoms: none   Tops: any number, of the shapes given   Params: none
    Options: shape, one for all tops or one a top; without any, the user must reshape the tops before forward
    """

    options_field = "input_param"

    def setup(self, bottom, top):
        shapes = [tuple(shape.dim) for shape in self.options.shape]
        if len(shapes) not in (0, 1, len(top)):
            raise NetError(self.where, expected=f"one shape, or one a top ({len(top)})", got=len(shapes))
        for blob, shape in zip(top, shapes * len(top) if len(shapes) == 1 else shapes):
            blob.reshape(shape)

    def forward(self, bottom, top):
        pass
