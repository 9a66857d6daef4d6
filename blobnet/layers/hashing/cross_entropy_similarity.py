"""Negative cross-entropy of pairs of attribute predictions."""

from __future__ import annotations

import numpy as np

from blobnet.core.registry import register
from blobnet.layers.hashing._similarity import Similarity
from blobnet.ops.softmax import sigmoid


@register
class CrossEntropySimilarity(Similarity):
    """How well the attributes that are predicted for one item fit those of another, both as scores.

    p = 1 / (1 + exp(-a)), q = 1 / (1 + exp(-b)),   y_n = sum_k [ p_nk log q_nk + (1 - p_nk) log(1 - q_nk) ]

    da_n = dy_n * b_n p_n (1 - p_n),   db_n = dy_n * (p_n - q_n)

    Bottoms: a (N, ...) scores, b (N, ...), as many    Tops: y (N, 1, 1, 1), never above 0    Params: none
    Paper: a form of the attribute-level ranking of Song et al., Deep Multi-task Attribute-driven Ranking for
    Fine-grained Sketch-based Image Retrieval, BMVC 2016.
    Quirks: not symmetric: a says what b should be. For a given a, y is largest where q = p, and is then minus the
    entropy of p.
    """

    def formula(self, a, b):
        a, b = a.reshape(len(a), -1), b.reshape(len(b), -1)
        p, log_q, log_1_q = 1 / (1 + np.exp(-a)), -np.logaddexp(0, -b), -np.logaddexp(0, b)  # of q and of 1 - q
        return (p * log_q + (1 - p) * log_1_q).sum(1)

    def forward(self, bottom, top):
        a, b = self.rows(bottom[0].data), self.rows(bottom[1].data)
        self.p, self.q = self.xp.empty_like(a), self.xp.empty_like(b)
        sigmoid(a, self.p)
        sigmoid(b, self.q)
        # log q = b - log(1 + e^b), log(1 - q) = -log(1 + e^b)
        fits = self.p * b - self.xp.logaddexp(b, 0)
        top[0].data[...] = fits.sum(axis=1).reshape(top[0].shape)

    def backward(self, top, propagate_down, bottom):
        dy = self.rows(top[0].diff)
        if propagate_down[0]:
            self.rows(bottom[0].diff)[...] = dy * self.rows(bottom[1].data) * self.p * (1 - self.p)
        if propagate_down[1]:
            self.rows(bottom[1].diff)[...] = dy * (self.p - self.q)
