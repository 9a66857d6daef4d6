"""Scale layer."""

from __future__ import annotations

import numpy as np

from blobnet.core.joined import SCALE
from blobnet.core.registry import register
from blobnet.errors import ShapeError
from blobnet.layers.weighted._along_axes import AlongAxes
from blobnet.ops.linear import add_sums, scale_shift, sums
from blobnet.proto.messages import new


@register
class Scale(AlongAxes):
    """Multiply each position along some axes by a factor, and add a bias if asked to.

    y[n, c, h, w] = x[n, c, h, w] * a[c] + b[c]
    dx = dy * a[c],   da[c] += sum over n, h, w of dy * x (= if a is a bottom),   db[c] += sum over n, h, w of dy

    Bottoms: x (N, C, H, W)[, a: its shape is that of neighbouring axes of x, from `axis` on]
    Tops: y (as x; may be x itself)
    Params: a (C) if it is no bottom; b (as a) with bias_term
    Options: axis (1), the first axis of x that a has; num_axes (1), how many a learned a has: 0 makes it one number,
    -1 takes all from there on; filler of a learned a (1); bias_term (false), bias_filler (0)
    Paper: Ioffe and Szegedy, Batch normalization: accelerating deep network training by reducing internal covariate
    shift, ICML 2015 (its gamma and beta).
    Quirks: a filler that is given without a value fills with 0. The diff of a learned a is overwritten instead of added
    to if no axis of x stands before its axes, or if those before have one position (a batch of one image): of several
    backward passes (iter_size) only the last one counts. It is still added to if a is one number and x has more.
    """

    options_field = "scale_param"
    param_names = ("weight", "bias")

    @classmethod
    def parameter_names(cls, layer):
        return cls.param_names[len(layer.bottom) > 1:]  # a second bottom is the factor

    def setup(self, bottom, top):
        options = self.options
        if len(bottom) == 1:
            filler = options.filler if options.HasField("filler") else new("FillerParameter", value=1)
            self.add_param(self.learned_shape(bottom[0]), filler)
        if options.bias_term:
            self.add_param(self.second(bottom).shape, options.bias_filler)

    def reshape(self, bottom, top):
        super().reshape(bottom, top)
        shape = self.second(bottom).shape
        if self.options.bias_term and self.blobs[-1].shape != shape:
            raise ShapeError(self.where, expected=f"a factor of the bias's shape {self.blobs[-1].shape}", got=shape)
        outer, count, inner = self.grouped
        self.overwrites = outer == 1 and (count > 1 or inner == 1)
        self.kept = self.xp.empty(self.grouped, self.dtype) if top[0] is bottom[0] else None

    def arithmetic(self):
        return {"kind": "along", "scale": True, "bias": self.options.bias_term, "grouped": list(self.grouped),
                "bottoms": len(self.param.bottom)}

    def formula(self, x, a, b=0):
        return x.reshape(self.grouped) * a.reshape(-1, 1) + np.reshape(b, (-1, 1))

    def forward(self, bottom, top):
        x = bottom[0].data.reshape(self.grouped)
        if self.kept is not None:
            self.kept[...] = x
        bias = self.blobs[-1].data if self.options.bias_term else None
        scale_shift(x, self.second(bottom).data, bias, top[0].data.reshape(self.grouped))

    def backward(self, top, propagate_down, bottom):
        dy, factor = top[0].diff.reshape(self.grouped), self.second(bottom)
        x = bottom[0].data.reshape(self.grouped) if self.kept is None else self.kept
        if len(bottom) == 2 and propagate_down[1]:
            factor.diff[...] = sums(dy, x).reshape(factor.shape)
        for diff, times in zip(self.gradients(), (x, None)):
            if diff is not None:
                add_sums(dy, times, diff)
        if propagate_down[0]:
            scale_shift(dy, factor.data, None, bottom[0].diff.reshape(self.grouped))

    def gradients(self):
        """What the gradients to a learned factor and to the bias are added to; None for each that does not learn."""
        factor = bias = None
        if self.options.bias_term and self.param_propagate_down[-1]:
            bias = self.blobs[-1].diff.reshape(-1)
        if len(self.param.bottom) == 1 and self.param_propagate_down[0]:
            factor = self.blobs[0].diff.reshape(-1)
            if self.overwrites:
                factor.fill(0)
        return factor, bias

    def link(self):
        along = self.options.axis == self.options.num_axes == 1 and len(self.param.bottom) == 1
        return SCALE if along else ""
