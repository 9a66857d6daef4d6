"""Softmax in blocks: the relaxation of a structured binary code."""

from __future__ import annotations

import numpy as np

from blobnet.core.layer import Layer
from blobnet.core.registry import register
from blobnet.layers.hashing._blocks import block_shape
from blobnet.ops.softmax import softmax, softmax_backward


@register
class BlockSoftmax(Layer):
    """Take the softmax within each of M blocks of B elements, which training makes nearly one-hot.

    y_nmk = exp(x_nmk) / sum_j exp(x_nmj),   dx_nmk = y_nmk * (dy_nmk - sum_j y_nmj * dy_nmj)

    Bottoms: x (N, M B)    Tops: y (as x; may be x itself)    Params: none
    Options: block_param.block_size B (2)
    Paper: Jain, Zepeda, Perez and Gribonval, SuBiC: A Supervised, Structured Binary Code for Image Search, ICCV 2017.
    Quirks: the same in every phase. `blobnet encode --block-size B` makes the binary code of y: a 1 at the largest
    value of each block. It also keeps the values, for asymmetric search.
    """

    options_field = "block_param"
    in_place = True

    def reshape(self, bottom, top):
        count, blocks, size = block_shape(self.where, bottom[0].shape, self.options.block_size)
        self.grouped = count * blocks, size, 1
        top[0].reshape(bottom[0].shape)

    def formula(self, x):
        x = x.reshape(-1, self.options.block_size)  # a block in each row
        e = np.exp(x - x.max(1, keepdims=True))
        return e / e.sum(1, keepdims=True)

    def forward(self, bottom, top):
        softmax(bottom[0].data.reshape(self.grouped), top[0].data.reshape(self.grouped))

    def backward(self, top, propagate_down, bottom):
        if propagate_down[0]:
            softmax_backward(top[0].data.reshape(self.grouped), top[0].diff.reshape(self.grouped),
                             bottom[0].diff.reshape(self.grouped))
