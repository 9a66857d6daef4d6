"""Softmax followed by a logistic loss that weighs every pair of classes."""

from __future__ import annotations

import math

import numpy as np

from blobnet.core.registry import register
from blobnet.errors import NetError, ShapeError, within
from blobnet.layers.loss._base import LOG_THRESHOLD, LabelLoss
from blobnet.layers.loss._score_terms import infogain_terms
from blobnet.ops.softmax import softmax
from blobnet.proto.blobs import read_blob


@register
class InfogainLoss(LabelLoss):
    """Negative logarithms of all probabilities, weighted by a row of a matrix that the label chooses.

    p = softmax(x),   loss = -1/Z * sum_n sum_k H[label_n, k] log p[n, k]

    dx[n, k] = weight/Z * (p[n, k] * sum_j H[label_n, j] - H[label_n, k])

    Bottoms: x (N, C, H, W) scores; labels (N, H, W), integers in 0 ... C-1; optionally the matrix H, C*C elements
    Tops: loss (); optionally p (as x)
    Params: none
    Options: source, a .binaryproto file with H, read if there is no third bottom; axis (1; negative from the end) of
    the classes; loss_param.ignore_label; loss_param.normalization: Z is the number of labels that count (VALID, the
    default), of all labels (FULL), N (BATCH_SIZE), 1 (NONE) or pre_fixed_normalizer (PRE_FIXED)
    Paper: none.
    Quirks: if H is the unit matrix, this is SoftmaxWithLoss. Probabilities below 1e-20 count as 1e-20, but not in the
    gradient. Z is never below 1. With a third bottom, source is ignored. There is no gradient for H.
    loss_param.normalize is refused, and softmax_param has no effect. With two tops loss_weight must be given for both.
    """

    options_field = "infogain_loss_param"
    more_options = ("loss_param",)
    num_bottoms = (2, 3)
    num_tops = (1, 2)
    unforced_bottoms = (1, 2)

    def setup(self, bottom, top):
        if self.param.loss_param.HasField("normalize"):
            raise NetError(self.where, "does not take loss_param.normalize",
                           hint="write normalization: VALID for true, BATCH_SIZE for false")
        if len(bottom) == 2:
            if not self.options.HasField("source"):
                raise NetError(self.where, expected="the matrix H as a third bottom or in infogain_loss_param.source",
                               got="neither")
            with within(self.where):
                self.matrix = self.xp.asarray(read_blob(self.options.source), self.dtype)

    def reshape(self, bottom, top):
        super().reshape(bottom, top)
        self.group(bottom, self.options.axis)
        classes = self.grouped[1]
        shape = bottom[2].shape if len(bottom) == 3 else self.matrix.shape
        if math.prod(shape) != classes * classes:
            name = self.param.bottom[2] if len(bottom) == 3 else self.options.source
            raise ShapeError(self.where, f"matrix {name!r}", expected=f"{classes} x {classes} elements", got=shape)
        self.probability = self.xp.empty(self.grouped, self.dtype)
        if len(top) == 2:
            top[1].reshape(bottom[0].shape)

    def formula(self, x, labels, *given):
        (outer, classes, inner), options = self.grouped, self.param.loss_param
        H = np.reshape(given or read_blob(self.options.source), (classes, classes))
        x, labels = x.reshape(self.grouped), labels.reshape(outer, inner).astype(int)
        e = np.exp(x - x.max(1, keepdims=True))
        p = e / e.sum(1, keepdims=True)
        costs = [-H[label] @ np.log(np.maximum(p[n, :, i], LOG_THRESHOLD))
                 for (n, i), label in np.ndenumerate(labels) if label != self.ignored]
        Z = {options.VALID: len(costs), options.FULL: labels.size, options.BATCH_SIZE: outer, options.NONE: 1,
             options.PRE_FIXED: options.pre_fixed_normalizer}
        return sum(costs) / max(Z[self.normalization], 1), p

    def terms(self, place, bottom, top):
        reports = (place.kind, place.number) not in (("top", 0), ("bottom", 0))
        return super().terms(place, bottom, top) if reports else infogain_terms(self, place, bottom, top)

    def forward(self, bottom, top):
        classes = self.grouped[1]
        softmax(bottom[0].data.reshape(self.grouped), self.probability)
        labels, self.counted = self.read_labels(bottom[1])
        matrix = bottom[2].data if len(bottom) == 3 else self.matrix
        self.gains = self.xp.moveaxis(matrix.reshape(classes, classes)[labels], 2, 1)
        self.divisor = self.normalizer(self.counted)
        logs = self.xp.log(self.xp.maximum(self.probability, LOG_THRESHOLD))
        logs *= self.gains
        top[0].data[...] = -self.xp.where(self.counted[:, None, :], logs, 0).sum() / self.divisor
        if len(top) == 2:
            top[1].data[...] = self.probability.reshape(top[1].shape)

    def backward(self, top, propagate_down, bottom):
        self.refuse_targets(propagate_down)
        if propagate_down[0]:
            dx = bottom[0].diff.reshape(self.grouped)
            self.xp.multiply(self.probability, self.gains.sum(axis=1, keepdims=True), out=dx)
            dx -= self.gains
            dx *= self.weight(top) / self.divisor
            self.xp.copyto(dx, 0, where=~self.counted[:, None, :])  # even where p is nan
