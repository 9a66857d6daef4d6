"""The invariance loss of DeepBit."""

from __future__ import annotations

from blobnet.core.registry import register
from blobnet.errors import ShapeError
from blobnet.layers.hashing._base import CodeLoss


@register
class TransformLoss(CodeLoss):
    """The codes of an image and of its transformed copy should be equal; each pair has two weights.

    loss = 1/(2 N) * sum_n u_n v_n ||a_n - b_n||^2,   da = weight/N * (a - b),   db = -da

    Bottoms: a, b (N, K); weights u, v (N,) or (N, 1): in the paper by the angle of the rotation
    Tops: loss ()
    Params: none
    Options: published_gradient_param.gradient
    Paper: Lin et al., Learning Compact Binary Descriptors with Unsupervised Deep Neural Networks, CVPR 2016.
    Quirks: the published gradient, shown above, leaves the weights out, and the gradient of u and v is 0. gradient:
    EXACT is the derivative with respect to all four.
    """

    options_field = "published_gradient_param"
    published_gradient = True
    num_bottoms = 4

    def reshape(self, bottom, top):
        super().reshape(bottom, top)
        a, b, u, v = bottom
        if b.shape[:1] != a.shape[:1] or b.count != a.count:
            raise ShapeError(self.where, expected="as many elements a row in both codes",
                             got=f"{a.shape} and {b.shape}")
        if u.count != a.shape[0] or v.count != a.shape[0]:
            raise ShapeError(self.where, "weights", expected=f"one number a row, ({a.shape[0]},)",
                             got=f"{u.shape} and {v.shape}")

    def forward(self, bottom, top):
        self.difference = self.codes(bottom[0].data) - self.codes(bottom[1].data)
        self.squares = self.xp.einsum("nk,nk->n", self.difference, self.difference)
        u, v = (blob.data.reshape(-1) for blob in bottom[2:])
        top[0].data[...] = (u * v) @ self.squares / max(1, len(u)) / 2

    def backward(self, top, propagate_down, bottom):
        exact = self.options.gradient == self.options.EXACT
        scale = self.weight(top) / max(1, len(self.squares))
        u, v = (blob.data.reshape(-1) for blob in bottom[2:])
        pull = self.difference * ((u * v)[:, None] * scale if exact else scale)
        turn = self.squares * (scale / 2 if exact else 0)
        for wanted, blob, gradient in zip(propagate_down, bottom, (pull, -pull, turn * v, turn * u)):
            if wanted:
                blob.diff[...] = gradient.reshape(blob.shape)
