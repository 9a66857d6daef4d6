"""Dropout."""

from __future__ import annotations

from blobnet.core.context import TRAIN
from blobnet.core.registry import register
from blobnet.errors import NetError
from blobnet.layers.activation._base import Elementwise


@register
class Dropout(Elementwise):
    """Silence a random part of the units while training.

    TRAIN: y = x * m / (1 - ratio), m = 0 with probability ratio, else 1;   TEST: y = x

    Bottoms: x (any shape)    Tops: y (as x; may be x itself)    Params: none
    Options: dropout_ratio (0.5), from 0 on and below 1
    Paper: Srivastava et al., Dropout: A Simple Way to Prevent Neural Networks from Overfitting, JMLR 2014.
    Quirks: scales while training instead of testing, so the expectation is x in both.
    """

    options_field = "dropout_param"
    key_options = {"dropout_ratio": "ratio"}

    def setup(self, bottom, top):
        self.ratio = self.options.dropout_ratio
        if not 0 <= self.ratio < 1:
            raise NetError(self.where, expected="0 <= dropout_ratio < 1", got=self.ratio)

    def forward(self, bottom, top):
        if self.phase == TRAIN:
            self.mask = self.random().random(bottom[0].shape, dtype=self.xp.float32) >= self.ratio
            y = self.xp.multiply(bottom[0].data, self.mask, out=top[0].data)
            y *= 1 / (1 - self.ratio)
        elif top[0] is not bottom[0]:
            top[0].data[...] = bottom[0].data

    def backward(self, top, propagate_down, bottom):
        if not propagate_down[0]:
            return
        if self.phase == TRAIN:
            dx = self.xp.multiply(top[0].diff, self.mask, out=bottom[0].diff)
            dx *= 1 / (1 - self.ratio)
        elif top[0] is not bottom[0]:
            bottom[0].diff[...] = top[0].diff
