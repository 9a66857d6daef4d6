"""Negative squared distance of pairs of vectors."""

from __future__ import annotations

from blobnet.core.registry import register
from blobnet.layers.hashing._similarity import Similarity


@register
class EuclideanSimilarity(Similarity):
    """Minus half the squared distance of every pair of rows.

    y_n = -||a_n - b_n||^2 / 2,   da_n = -dy_n * (a_n - b_n),   db_n = -da_n

    Bottoms: a (N, ...), b (N, ...), as many    Tops: y (N, 1, 1, 1), never above 0    Params: none
    Paper: the distance in the triplet loss of Lai et al., Simultaneous Feature Learning and Hash Coding with Deep
    Neural Networks, CVPR 2015.
    Quirks: the top always has four axes, however many the bottoms have.
    """

    def forward(self, bottom, top):
        self.difference = self.rows(bottom[0].data) - self.rows(bottom[1].data)
        top[0].data[...] = self.xp.einsum("nk,nk->n", self.difference, self.difference).reshape(top[0].shape) * -0.5

    def backward(self, top, propagate_down, bottom):
        dy = self.rows(top[0].diff)
        for sign, wanted, blob in zip((-1, 1), propagate_down, bottom):
            if wanted:
                self.xp.multiply(self.difference, sign * dy, out=self.rows(blob.diff))
