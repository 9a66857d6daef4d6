"""Bias layer."""

from __future__ import annotations

from blobnet.core.registry import register
from blobnet.layers.weighted._along_axes import AlongAxes
from blobnet.ops.linear import add_sums, scale_shift, sums


@register
class Bias(AlongAxes):
    """Add a bias to each position along some axes.

    y[n, c, h, w] = x[n, c, h, w] + b[c],   dx = dy,   db[c] += sum over n, h, w of dy (= if b is a bottom)

    Bottoms: x (N, C, H, W)[, b: its shape is that of neighbouring axes of x, from `axis` on]
    Tops: y (as x; may be x itself)
    Params: b (C) if it is no bottom
    Options: axis (1), the first axis of x that b has; num_axes (1), how many a learned b has: 0 makes it one number,
    -1 takes all from there on; filler of a learned b (0)
    Paper: none.
    Quirks: if b is a bottom, num_axes has no effect; if it has no axes either, axis has none.
    """

    options_field = "bias_param"
    param_names = ("bias",)

    def setup(self, bottom, top):
        if len(bottom) == 1:
            self.add_param(self.learned_shape(bottom[0]), self.options.filler)

    def arithmetic(self):
        return {"kind": "along", "scale": False, "bias": True, "grouped": list(self.grouped),
                "bottoms": len(self.param.bottom)}

    def formula(self, x, b):
        return x.reshape(self.grouped) + b.reshape(-1, 1)

    def forward(self, bottom, top):
        x, y = bottom[0].data.reshape(self.grouped), top[0].data.reshape(self.grouped)
        scale_shift(x, None, self.second(bottom).data, y)

    def backward(self, top, propagate_down, bottom):
        dy, second = top[0].diff, self.second(bottom)
        if len(bottom) == 1 and self.param_propagate_down[0]:
            add_sums(dy.reshape(self.grouped), None, second.diff)
        if len(bottom) == 2 and propagate_down[1]:
            second.diff[...] = sums(dy.reshape(self.grouped)).reshape(second.shape)
        if propagate_down[0] and top[0] is not bottom[0]:
            bottom[0].diff[...] = dy
