"""The term that makes blocks use all their elements."""

from __future__ import annotations

import math

import numpy as np

from blobnet.core.registry import register
from blobnet.layers.hashing._blocks import BlockEntropyLoss


@register
class BatchEntropyLoss(BlockEntropyLoss):
    """Minus the entropy of the batch's mean block, -1 … 0: -1 if all elements are used equally, 0 if only one is used.

    q_mk = 1/N * sum_n p_nmk,   loss = 1/M * sum_mk q_mk log_B q_mk,   dp_nmk = weight/(N M) * (log_B q_mk + 1/ln B)

    Bottoms: block probabilities p (N, M B), of a BlockSoftmax
    Tops: loss ()
    Params: none
    Options: block_param.block_size B (2); loss_weight is the paper's mu
    Paper: Jain, Zepeda, Perez and Gribonval, SuBiC: A Supervised, Structured Binary Code for Image Search, ICCV 2017:
    the batch entropy, which the paper's objective subtracts.
    Quirks: entropies are in units of the largest, log B, so that a weight means the same for every block size. Below
    the smallest normal float32, q counts as that number in the logarithm. A batch of fewer than B rows of one-hot
    blocks cannot reach -1.
    """

    def formula(self, p):
        _, M, B = self.block_shape
        q = p.reshape(self.block_shape).mean(0)
        return (q * np.log(np.maximum(q, np.finfo("float32").tiny)) / np.log(B)).sum() / M

    def forward(self, bottom, top):
        q = self.blocks(bottom[0].data).sum(axis=0) / max(1, self.block_shape[0])
        self.logs = self.logarithm(q)
        top[0].data[...] = (q * self.logs).sum() / max(1, q.shape[0])

    def backward(self, top, propagate_down, bottom):
        if propagate_down[0]:
            count, blocks, size = self.block_shape
            slope = 1 / math.log(size)
            self.blocks(bottom[0].diff)[...] = (self.logs + slope) * (self.weight(top) / max(1, count * blocks))
