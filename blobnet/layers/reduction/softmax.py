"""Softmax."""

from __future__ import annotations

import numpy as np

from blobnet.backend import folded
from blobnet.core.layer import Layer
from blobnet.core.registry import register
from blobnet.errors import ShapeError
from blobnet.layers.reduction._softmax_terms import softmax_terms
from blobnet.ops.softmax import softmax, softmax_backward


@register
class Softmax(Layer):
    """Turn scores into probabilities along an axis.

    y_k = exp(x_k) / sum_j exp(x_j),   dx_k = y_k * (dy_k - sum_j y_j * dy_j)

    Bottoms: x (any shape)    Tops: y (as x; may be x itself)    Params: none
    Options: axis (1), engine (accepted, without effect)
    Paper: Bridle, Probabilistic Interpretation of Feedforward Classification Network Outputs, 1990.
    Quirks: the maximum is subtracted first, so large scores do not overflow. propagate_down: false is
    ignored if backward runs.
    """

    options_field = "softmax_param"
    in_place = True
    ignores_propagate_down = True

    def reshape(self, bottom, top):
        axis = bottom[0].canonical_axis(self.options.axis, self.where)
        shape = bottom[0].shape
        if not shape[axis]:
            raise ShapeError(self.where, expected=f"at least one class on axis {axis}", got=shape)
        self.grouped = folded(shape, axis, axis + 1)
        top[0].reshape(shape)

    def formula(self, x):
        axis = self.options.axis
        e = np.exp(x - x.max(axis, keepdims=True))
        return e / e.sum(axis, keepdims=True)

    def terms(self, place, bottom, top):
        return softmax_terms(self, place, bottom, top)

    def arithmetic(self):
        return {"kind": "softmax", "grouped": list(self.grouped)}

    def forward(self, bottom, top):
        softmax(bottom[0].data.reshape(self.grouped), top[0].data.reshape(self.grouped))

    def backward(self, top, propagate_down, bottom):
        if propagate_down[0]:
            softmax_backward(top[0].data.reshape(self.grouped), top[0].diff.reshape(self.grouped),
                             bottom[0].diff.reshape(self.grouped))
