"""Another order of the axes, of which some may be named."""

from __future__ import annotations

from blobnet.core.registry import register
from blobnet.core.view_layer import hang_weight
from blobnet.layers.shape._reordered import Reordered


@register
class Permute(Reordered):
    """Put the axes of a blob into another order.

    y[i_(o_0), i_(o_1), ...] = x[i_0, i_1, ...],   dx[i_0, i_1, ...] = dy[i_(o_0), i_(o_1), ...]

    Bottoms: x (N, C, H, W), or any number of axes    Tops: y (N, H, W, C) for the order 0 2 3 1    Params: none
    Options: order o: axis k of y is axis o_k of x; axes that are not named follow in ascending order
    Paper: Liu et al., SSD: Single Shot MultiBox Detector, ECCV 2016.
    Quirks: where the order is the natural one, the top shares data and diff of the bottom.
    """

    options_field = "permute_param"
    passes_labels = True

    def reshape(self, bottom, top):
        shape, named = bottom[0].shape, list(self.options.order)
        self.refuse_unless_axes(named, shape, "order")
        self.order = named + [axis for axis in range(len(shape)) if axis not in named]
        super().reshape(bottom, top)
        self.natural = self.order == sorted(self.order)
        if self.natural:
            top[0].share_data(bottom[0])
            top[0].share_diff(bottom[0])

    def forward(self, bottom, top):
        if not self.natural:
            super().forward(bottom, top)

    def backward(self, top, propagate_down, bottom):
        if self.natural:
            hang_weight(self, top)
        else:
            super().backward(top, propagate_down, bottom)
