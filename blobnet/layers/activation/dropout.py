"""Dropout."""

from __future__ import annotations

from blobnet.core.context import TRAIN
from blobnet.core.registry import register
from blobnet.core.terms import Factor, Place, Terms
from blobnet.errors import NetError
from blobnet.layers.activation._base import Elementwise
from blobnet.ops.elementwise import thin


@register
class Dropout(Elementwise):
    """Silence a random part of the units while training.

    TRAIN: y = x * m / (1 - ratio), m = 0 with probability ratio, else 1;   TEST: y = x
    scale_train: false   TRAIN: y = x * m;   TEST: y = x * (1 - ratio)

    Bottoms: x (any shape)    Tops: y (as x; may be x itself)    Params: none
    Options: dropout_ratio (0.5), from 0 on and below 1; of forks: scale_train (true; py-faster-rcnn),
    sample_weights_test (false; Bayesian SegNet): TEST draws as TRAIN does; engine (no effect)
    Paper: Srivastava et al., Dropout: A Simple Way to Prevent Neural Networks from Overfitting, JMLR 2014.
    Quirks: scales while training instead of testing, unless scale_train is false.
    """

    options_field = "dropout_param"
    key_options = {"dropout_ratio": "ratio"}

    def setup(self, bottom, top):
        self.ratio = self.options.dropout_ratio
        if not 0 <= self.ratio < 1:
            raise NetError(self.where, expected="0 <= dropout_ratio < 1", got=self.ratio)
        self.draws = self.phase == TRAIN or self.options.sample_weights_test
        self.factor = 1 / (1 - self.ratio) if self.options.scale_train else 1.0
        if not self.draws:
            self.factor = 1.0 if self.options.scale_train else 1 - self.ratio

    def terms(self, place, bottom, top):
        at = place.index
        kept = self.factor * float(self.mask[at]) if self.draws else self.factor
        words = ("kept, so scaled" if kept else "silenced by the draw") if self.draws else "TEST draws nothing"
        source = Place("bottom", 0, "data", at) if place.kind == "top" else Place("top", 0, "diff", at)
        read = bottom[0].data if place.kind == "top" else top[0].diff
        return Terms(place, [(Factor(float(read[at]), source), Factor(kept, None, "factor"))], words)

    def arithmetic(self):
        return {"kind": "masked", "factor": self.factor}

    def forward(self, bottom, top):
        if self.draws:
            self.mask = self.random().random(bottom[0].shape, dtype=self.xp.float32) >= self.ratio
        self._thin(bottom[0].data, top[0].data)

    def backward(self, top, propagate_down, bottom):
        if propagate_down[0]:
            self._thin(top[0].diff, bottom[0].diff)

    def _thin(self, x, y):
        """y = x, without what is silenced, times the factor."""
        if self.draws:
            thin(x, self.mask, self.factor, y)
        elif self.factor != 1:
            self.xp.multiply(x, self.factor, out=y)
        elif x is not y:
            y[...] = x
