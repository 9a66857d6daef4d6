"""Euclidean loss."""

from __future__ import annotations

from blobnet.core.costs import listed
from blobnet.core.registry import register
from blobnet.core.terms import Factor, Place, Terms
from blobnet.layers.loss._differences import DifferenceLoss


@register
class EuclideanLoss(DifferenceLoss):
    """Half the mean squared distance between two batches of vectors.

    loss = 1 / (2 N) * sum_n ||a_n - b_n||^2,   da = weight * (a - b) / N,   db = -da

    Bottoms: a (N, ...), b (N, ...) with as many elements a row    Tops: loss ()    Params: none
    Paper: Legendre, Nouvelles méthodes pour la détermination des orbites des comètes, 1805 (least squares).
    Quirks: the sum runs over all elements of a row but the mean over rows only.
    """

    def arithmetic(self):
        return {"kind": "difference", "batch": self.batch}

    def terms(self, place, bottom, top):
        at = place.index
        if place.kind == "top":
            difference, share = self.difference.reshape(-1), Factor(1 / self.batch / 2, None, "1 / 2N")
            return listed(place, difference ** 2 * share.value, lambda i: (
                *(Factor(float(difference[i]), None, "a - b"),) * 2, share), "the squares of all differences")
        weight = self.weight_factor(top)
        signs = (1, -1) if place.number == 0 else (-1, 1)
        return Terms(place, [(Factor(float(blob.data.reshape(bottom[place.number].shape)[at]),
                                     Place("bottom", i, "data", at)), Factor(sign / self.batch, None, "1 / N"), weight)
                             for i, (sign, blob) in enumerate(zip(signs, bottom))], "the difference of both")

    def forward(self, bottom, top):
        flat = self.subtract(bottom).reshape(-1)
        top[0].data[...] = flat @ flat / self.batch / 2

    def backward(self, top, propagate_down, bottom):
        for sign, wanted, blob in zip((1, -1), propagate_down, bottom):
            if wanted:
                factor = sign * self.weight(top) / self.batch
                self.xp.multiply(self.difference.reshape(blob.shape), factor, out=blob.diff)
