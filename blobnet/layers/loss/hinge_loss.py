"""Hinge loss."""

from __future__ import annotations

import numpy as np

from blobnet.core.registry import register
from blobnet.layers.loss._base import LabelLoss
from blobnet.layers.loss._score_terms import hinge_terms


@register
class HingeLoss(LabelLoss):
    """One against all: the score of the label should be above 1, every other score below -1.

    h_nk = max(0, 1 - s_nk x_nk), with s_nk = 1 where k is label_n, else -1

    L1: loss = 1/N * sum_nk h_nk,   dx_nk = -weight/N * s_nk where h_nk > 0, else 0
    L2: loss = 1/N * sum_nk h_nk^2,   dx_nk = -2 weight/N * s_nk h_nk

    Bottoms: x (N, C) scores; labels (N,), integers in 0 ... C-1
    Tops: loss ()
    Params: none
    Options: norm (L1)
    Paper: Rosasco et al., Are Loss Functions All the Same?, Neural Computation 2004.
    Quirks: further axes of x count as classes too. loss_param has no effect.
    """

    options_field = "hinge_loss_param"
    ignores = False

    def reshape(self, bottom, top):
        super().reshape(bottom, top)
        self.group_rows(bottom)
        self.places = self.xp.arange(self.grouped[0])

    def formula(self, x, labels):
        x = x.reshape(len(x), -1)
        s = np.where(np.arange(x.shape[1]) == labels.reshape(-1, 1), 1, -1)
        h = np.maximum(0, 1 - s * x)
        return (h ** 2 if self.options.norm == self.options.L2 else h).sum() / len(x)

    def terms(self, place, bottom, top):
        return hinge_terms(self, place, bottom, top)

    def forward(self, bottom, top):
        self.labels = self.read_labels(bottom[1])[0][:, 0]
        hinge = bottom[0].data.reshape(self.grouped[:2]).copy()
        self._flip(hinge)
        hinge += 1
        self.hinge = self.xp.maximum(hinge, 0, out=hinge)
        flat = hinge.reshape(-1)
        total = flat @ flat if self._squared() else flat.sum()
        top[0].data[...] = total / max(1, self.grouped[0])

    def backward(self, top, propagate_down, bottom):
        self.refuse_targets(propagate_down)
        if not propagate_down[0]:
            return
        dx, scale = bottom[0].diff.reshape(self.grouped[:2]), self.weight(top) / max(1, self.grouped[0])
        if self._squared():
            self.xp.multiply(self.hinge, 2 * scale, out=dx)
        else:
            self.xp.multiply(self.hinge > 0, scale, out=dx)
        self._flip(dx)

    def _squared(self) -> bool:
        return self.options.norm == self.options.L2

    def _flip(self, array) -> None:
        """Change the sign of the elements at the labels, in place."""
        array[self.places, self.labels] *= -1
