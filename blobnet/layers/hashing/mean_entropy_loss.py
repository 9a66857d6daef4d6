"""The term that makes blocks one-hot."""

from __future__ import annotations

import math

import numpy as np

from blobnet.core.registry import register
from blobnet.layers.hashing._blocks import BlockEntropyLoss


@register
class MeanEntropyLoss(BlockEntropyLoss):
    """The mean entropy of the blocks, 0 … 1: 0 if each is one-hot, 1 if each is uniform.

    loss = -1/(N M) * sum_nmk p_nmk log_B p_nmk,   dp_nmk = -weight/(N M) * (log_B p_nmk + 1/ln B)

    Bottoms: block probabilities p (N, M B), of a BlockSoftmax
    Tops: loss ()
    Params: none
    Options: block_param.block_size B (2); loss_weight is the paper's gamma
    Paper: Jain, Zepeda, Perez and Gribonval, SuBiC: A Supervised, Structured Binary Code for Image Search, ICCV 2017:
    the mean entropy.
    Quirks: entropies are in units of the largest, log B, so that a weight means the same for every block size. Below
    the smallest normal float32, p counts as that number in the logarithm.
    """

    def formula(self, p):
        N, M, B = self.block_shape
        return -(p * np.log(np.maximum(p, np.finfo("float32").tiny)) / np.log(B)).sum() / (N * M)

    def forward(self, bottom, top):
        p = self.blocks(bottom[0].data)
        self.logs = self.logarithm(p)
        top[0].data[...] = -(p * self.logs).sum() / max(1, p.shape[0] * p.shape[1])

    def backward(self, top, propagate_down, bottom):
        if propagate_down[0]:
            count, blocks, size = self.block_shape
            slope = 1 / math.log(size)
            self.blocks(bottom[0].diff)[...] = (self.logs + slope) * (-self.weight(top) / max(1, count * blocks))
