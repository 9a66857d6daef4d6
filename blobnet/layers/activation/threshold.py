"""Threshold."""

from __future__ import annotations

from blobnet.core.registry import register
from blobnet.layers.activation._base import Elementwise


@register
class Threshold(Elementwise):
    """Tell what exceeds a threshold.

    y = 1 if x > threshold else 0;   no backward

    Bottoms: x (any shape)    Tops: y (as x; may be x itself)    Params: none
    Options: threshold (0)
    Paper: McCulloch and Pitts, A logical calculus of the ideas immanent in nervous activity, Bulletin of Mathematical
    Biophysics 1943.
    Quirks: backward is an error when a gradient is asked for. A nan exceeds nothing.
    """

    options_field = "threshold_param"

    def forward(self, bottom, top):
        top[0].data[...] = bottom[0].data > self.options.threshold
