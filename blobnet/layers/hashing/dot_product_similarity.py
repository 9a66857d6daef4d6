"""Dot product of pairs of vectors."""

from __future__ import annotations

from blobnet.core.registry import register
from blobnet.layers.hashing._similarity import Similarity


@register
class DotProductSimilarity(Similarity):
    """The dot product of every pair of rows.

    y_n = a_n . b_n,   da_n = dy_n * b_n,   db_n = dy_n * a_n

    Bottoms: a (N, ...), b (N, ...), as many    Tops: y (N, 1, 1, 1)    Params: none
    Paper: Lai et al., Simultaneous Feature Learning and Hash Coding with Deep Neural Networks, CVPR 2015, uses it
    between codes.
    Quirks: the top always has four axes, however many the bottoms have.
    """

    def forward(self, bottom, top):
        a, b = self.rows(bottom[0].data), self.rows(bottom[1].data)
        top[0].data[...] = self.xp.einsum("nk,nk->n", a, b).reshape(top[0].shape)

    def backward(self, top, propagate_down, bottom):
        dy = self.rows(top[0].diff)
        for i in (0, 1):
            if propagate_down[i]:
                self.xp.multiply(self.rows(bottom[1 - i].data), dy, out=self.rows(bottom[i].diff))
