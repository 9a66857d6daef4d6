"""Another order of the axes, all of which are named."""

from __future__ import annotations

from blobnet.core.registry import register
from blobnet.errors import NetError
from blobnet.layers.shape._reordered import Reordered


@register
class Transpose(Reordered):
    """Put the axes of a blob into another order, all of them by name.

    y[i_(d_0), i_(d_1), ...] = x[i_0, i_1, ...],   dx[i_0, i_1, ...] = dy[i_(d_0), i_(d_1), ...]

    Bottoms: x (N, C, H, W), or any number of axes    Tops: y (W, H, N, C) for the dims 3 2 0 1    Params: none
    Options: dim d, once for each axis: axis k of y is axis d_k of x
    Paper: Tian et al., Detecting Text in Natural Image with Connectionist Text Proposal Network, ECCV 2016.
    Quirks: other than with Permute, which does the same, every axis has to be named.
    """

    options_field = "transpose_param"
    passes_labels = True

    def reshape(self, bottom, top):
        self.order, shape = list(self.options.dim), bottom[0].shape
        if len(self.order) != len(shape):
            raise NetError(self.where, expected=f"dim once for each of the {len(shape)} axes of {shape}",
                           got=self.order, hint="Permute takes those that are not named in their order")
        self.refuse_unless_axes(self.order, shape, "dim")
        super().reshape(bottom, top)
