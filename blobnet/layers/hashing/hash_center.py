"""The hash centres of central similarity quantization."""

from __future__ import annotations

import math

import numpy as np

from blobnet.core.layer import Layer
from blobnet.core.registry import register
from blobnet.errors import NetError, ShapeError
from blobnet.layers.hashing._centers import hash_centers, tie_bits
from blobnet.ops.indices import numbers_below
from blobnet.ops.linear import matrix_product


@register
class HashCenter(Layer):
    """Give every image the code that it should have: the hash centre of its class, bits of 0 and 1.

    h_n = (1 + H_{y_n}) / 2, where H (C, K) holds the centres, -1 and +1: the first C rows of a Hadamard matrix, then of
    its negative

    Of several labels a row, each bit is what most of their centres have, and drawn bits decide where half of them do.
    No backward: the centres are given.

    Bottoms: y (N,) one class a row, or (N, C) a column of 0 and 1 for each class
    Tops: h (N, K)
    Params: none
    Options: hash_center_param.num_classes C, bits K, seed (0)
    Paper: Yuan et al., Central Similarity Quantization for Efficient Image and Video Retrieval, CVPR 2020, algorithm 1
    and the section on multi-labeled data.
    Quirks: where K is no power of two, or C is above 2 K, all bits of the centres are drawn. The seed alone decides
    what is drawn, not that of the net: centres are the same in every run and phase. The bits that break ties are drawn
    once, one for each of the K, as the authors' code does; a row without any label gets just these. The first rows of
    a Hadamard matrix repeat columns: with 10 classes and 32 bits, every bit is there twice or more.
    """

    options_field = "hash_center_param"
    unforced_bottoms = (0,)

    def setup(self, bottom, top):
        classes, bits = self.options.num_classes, self.options.bits
        if not classes or not bits:
            raise NetError(self.where, expected="num_classes and bits above 0", got=f"{classes} and {bits}")
        if bits < 32 and classes > 2 ** bits:
            raise NetError(self.where, expected=f"at most {2 ** bits} classes for {bits} bits", got=classes)
        self.centers, self.ties = (self.xp.asarray(array.astype(self.dtype)) for array in self._drawn())

    def _drawn(self):
        """The centres (C, K) of -1 and +1, and the bits (K,) that break ties."""
        options = self.options
        return hash_centers(options.num_classes, options.bits, options.seed), tie_bits(options.bits, options.seed)

    def reshape(self, bottom, top):
        (n, *columns), classes = bottom[0].shape or (0, 0), self.options.num_classes
        width = math.prod(columns)
        if not bottom[0].shape or width not in (1, classes):
            raise ShapeError(self.where, f"labels {self.param.bottom[0]!r}", got=bottom[0].shape,
                             expected=f"one class a row, (N,), or a column for each class, (N, {classes})")
        self.rows = n, width
        top[0].reshape((n, self.options.bits))

    def formula(self, y):
        H, ties = self._drawn()
        y = y.reshape(self.rows)
        votes = (y if y.shape[1] > 1 else y == np.arange(len(H))) @ H  # a column for each class
        return np.where(votes == 0, ties, votes > 0)

    def forward(self, bottom, top):
        several = self.rows[1] > 1
        found = numbers_below(bottom[0].data.reshape(self.rows), 2 if several else len(self.centers), self.where,
                              self.param.bottom[0], hint="num_classes must cover all classes")[0]
        votes = matrix_product(found.astype(self.dtype), self.centers) if several else self.centers[found[:, 0]]
        top[0].data[...] = self.xp.where(votes == 0, self.ties, votes > 0)
