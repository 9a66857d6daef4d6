"""Softmax followed by the multinomial logistic loss."""

from __future__ import annotations

import numpy as np

from blobnet.core.registry import register
from blobnet.errors import ShapeError
from blobnet.layers.loss._softmax import SoftmaxLoss
from blobnet.layers.loss._softmax_terms import softmax_arithmetic, softmax_loss_terms
from blobnet.ops.softmax import softmax_loss, softmax_loss_backward


@register
class SoftmaxWithLoss(SoftmaxLoss):
    """Negative logarithm of the probability of the label.

    p = softmax(x),   loss = -1/Z * sum_n w[label_n] log p[n, label_n],
    dx = weight / Z * w[label] * (p - [class is label])

    Bottoms: x (N, C, H, W) scores; labels (N, H, W), integers in 0 ... C-1
    Tops: loss (); optionally p (as x)
    Params: none
    Options: softmax_param.axis (1); loss_param.ignore_label; loss_param.normalization: Z is the number of labels that
    count (VALID, the default), of all labels (FULL), N (BATCH_SIZE), 1 (NONE) or pre_fixed_normalizer (PRE_FIXED);
    normalize (old name: true VALID, false BATCH_SIZE). weight_by_label_freqs (false): class_weighting, once a class, is
    w, else w is 1
    Paper: Bridle, Probabilistic Interpretation of Feedforward Classification Network Outputs, 1990; class weights as in
    Badrinarayanan, Kendall and Cipolla, SegNet, PAMI 2017.
    Quirks: Z is never below 1. Probabilities below the smallest normal float32 count as that number. With two tops
    loss_weight must be given for both. class_weighting alone does nothing. Z has no weights in it. With class weights
    it is N if nothing is said, as was measured on SegNet's layer; the schema of SegNet's program says normalize: true
    then, so write that to train its nets.
    """

    more_options = ("softmax_param", "loss_param")
    num_tops = (1, 2)

    def reshape(self, bottom, top):
        super().reshape(bottom, top)
        weights, classes = list(self.param.loss_param.class_weighting), self.grouped[1]
        self.class_weights = self.xp.asarray(weights, self.dtype) if self.weighs_classes else None
        if self.weighs_classes and len(weights) != classes:
            raise ShapeError(self.where, expected=f"class_weighting once for each of {classes} classes, as "
                             "weight_by_label_freqs is true", got=f"it {len(weights)} times")

    @property
    def weighs_classes(self) -> bool:
        return self.param.loss_param.weight_by_label_freqs

    @property
    def normalization(self) -> int:
        options = self.param.loss_param
        given = options.HasField("normalization") or options.HasField("normalize")
        return super().normalization if given or not self.weighs_classes else options.BATCH_SIZE

    def formula(self, x, labels):
        (outer, _, inner), options = self.grouped, self.param.loss_param
        x, labels = x.reshape(self.grouped), labels.reshape(outer, inner).astype(int)
        e = np.exp(x - x.max(1, keepdims=True))
        p = e / e.sum(1, keepdims=True)
        w = options.class_weighting if self.weighs_classes else np.ones(x.shape[1])
        costs = [-w[label] * np.log(np.maximum(p[n, label, i], np.finfo("float32").tiny))
                 for (n, i), label in np.ndenumerate(labels) if label != self.ignored]
        Z = {options.VALID: len(costs), options.FULL: labels.size, options.BATCH_SIZE: outer, options.NONE: 1,
             options.PRE_FIXED: options.pre_fixed_normalizer}
        return sum(costs) / max(Z[self.normalization], 1), p

    def arithmetic(self):
        return None if self.weighs_classes else softmax_arithmetic(self)

    def terms(self, place, bottom, top):
        if self.weighs_classes or (place.kind, place.number) not in (("top", 0), ("bottom", 0)):
            return super().terms(place, bottom, top)
        return softmax_loss_terms(self, place, bottom, top)

    def forward(self, bottom, top):
        self.read(bottom)
        valid = self.normalization == self.param.loss_param.VALID
        normalizer = None if valid and self.context.processes.size == 1 else self.normalizer(self.counted)
        self.divisor = softmax_loss(self.probability, self.labels, self.counted, self.class_weights, normalizer,
                                    top[0].data)
        if len(top) == 2:
            top[1].data[...] = self.probability.reshape(top[1].shape)

    def backward(self, top, propagate_down, bottom):
        self.refuse_targets(propagate_down)
        if not propagate_down[0]:
            return
        softmax_loss_backward(self.probability, self.labels, self.counted, self.class_weights, self.weight(top),
                              self.divisor, bottom[0].diff.reshape(self.grouped))
