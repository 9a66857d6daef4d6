"""Euclidean loss."""

from __future__ import annotations

import math

from blobnet.core.loss_layer import LossLayer
from blobnet.core.registry import register
from blobnet.errors import ShapeError


@register
class EuclideanLoss(LossLayer):
    """Half the mean squared distance between two batches of vectors.

    loss = 1 / (2 N) * sum_n ||a_n - b_n||^2,   da = weight * (a - b) / N,   db = -da

    Bottoms: a (N, ...), b (N, ...) with as many elements a row    Tops: loss ()    Params: none
    Paper: Legendre, Nouvelles méthodes pour la détermination des orbites des comètes, 1805 (least squares).
    Quirks: the sum runs over all elements of a row but the mean over rows only.
    """

    unforced_bottoms = ()

    def reshape(self, bottom, top):
        super().reshape(bottom, top)
        rows = [math.prod(blob.shape[1:]) for blob in bottom]
        if rows[0] != rows[1]:
            raise ShapeError(self.where, expected="as many elements a row in both bottoms",
                             got=f"{bottom[0].shape} and {bottom[1].shape}")
        self.batch = max(1, bottom[0].shape[0])

    def forward(self, bottom, top):
        self.difference = bottom[0].data - bottom[1].data.reshape(bottom[0].shape)
        flat = self.difference.reshape(-1)
        top[0].data[...] = flat @ flat / self.batch / 2

    def backward(self, top, propagate_down, bottom):
        for sign, wanted, blob in zip((1, -1), propagate_down, bottom):
            if wanted:
                factor = sign * self.weight(top) / self.batch
                self.xp.multiply(self.difference.reshape(blob.shape), factor, out=blob.diff)
