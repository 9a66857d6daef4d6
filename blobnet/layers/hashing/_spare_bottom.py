"""Losses that were published with a second bottom that they do not read."""

from __future__ import annotations

from blobnet.errors import ShapeError
from blobnet.layers.hashing._base import CodeLoss


class SpareBottomLoss(CodeLoss):
    """A loss of codes h, published with a second bottom of their shape that it does not read.

    Backward gives the second bottom `spare_sign` times the gradient of the first; with gradient: EXACT it gets 0.
    """

    options_field = "published_gradient_param"
    published_gradient = True
    num_bottoms = 2
    spare_sign = 1

    def reshape(self, bottom, top):
        super().reshape(bottom, top)
        if bottom[1].shape[:1] != bottom[0].shape[:1] or bottom[1].count != bottom[0].count:
            raise ShapeError(self.where, expected="a second bottom of the shape of the first",
                             got=f"{bottom[0].shape} and {bottom[1].shape}", hint="name the first once more")

    def published(self):
        """The published gradient by h: (N, K) or a number, without the loss weight."""
        raise NotImplementedError(f"{type(self).__name__} must define published")

    def exact(self):
        """The derivative by h, likewise."""
        return self.published()

    def backward(self, top, propagate_down, bottom):
        exact = self.options.gradient == self.options.EXACT
        gradient = (self.exact() if exact else self.published()) * self.weight(top)
        for factor, wanted, blob in zip((1, 0 if exact else self.spare_sign), propagate_down, bottom):
            if wanted:
                self.codes(blob.diff)[...] = factor * gradient


class HalfwayLoss(SpareBottomLoss):
    """How far codes in [0, 1] are from 0.5: loss = sign/(2 N K) * sum (h - 0.5)^2, dh = sign/(N K) * (h - 0.5)."""

    sign = 1

    def forward(self, bottom, top):
        self.deviation = self.codes(bottom[0].data) - 0.5
        flat = self.deviation.reshape(-1)
        top[0].data[...] = self.sign * (flat @ flat) / max(1, flat.size) / 2

    def published(self):
        return self.deviation * (self.sign / max(1, self.deviation.size))
