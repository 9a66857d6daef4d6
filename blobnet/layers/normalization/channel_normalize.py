"""The normalisation of NormFace and of the sketch nets."""

from __future__ import annotations

import numpy as np

from blobnet.core.layer import Layer
from blobnet.core.registry import register
from blobnet.errors import NetError, ShapeError
from blobnet.ops.elementwise import in_parts

EPS = 1e-6


@register
class ChannelNormalize(Layer):
    """Bring the channels at every place, or whole samples if these have one place, to length 1.

    L2: y = x / r,   r = sqrt(sum(x^2) + 1e-6),   dx = (dy - y sum(dy y)) / r + dr y
    L1: y = x / r,   r = sum(|x|) + 1e-6,   dx = (dy - sign(x) sum(dy y)) / r + dr sign(x)

    The sums run over C at each place. dr, the diff of the second top, counts with bp_norm: true only.

    A net writes type: "Normalize" for this layer and for SSDNormalize. It is this one without norm_param { … }. The
    sketch nets write neither norm_param nor normalize_param, and mean L2 over whole samples, which is the same for
    samples of one place; for others the net has to say what it means.

    Bottoms: x (N, C, H, W), or fewer axes, then H and W are 1
    Tops: y (N, C, H, W), always four axes; may be x itself[, r (N, 1, H, W)]
    Params: none
    Options: normalize_param.normalize_type ("L2", or "L1"), bp_norm (false); fix_gradient (no effect)
    Paper: Wang et al., NormFace: L2 Hypersphere Embedding for Face Verification, ACM MM 2017; Song et al., Deep
    Spatial-Semantic Attention for Fine-Grained Sketch-Based Image Retrieval, ICCV 2017.
    Quirks: the sketch nets' program adds nothing to r; here it is the 1e-6 of the other.
    """

    options_field = "normalize_param"
    variant_of = "Normalize"
    num_tops = (1, 2)
    in_place = keeps_coordinates = True

    @classmethod
    def claims(cls, param):
        return param.HasField("normalize_param") or not param.HasField("norm_param")

    def setup(self, bottom, top):
        if self.options.normalize_type not in ("L1", "L2"):
            raise NetError(self.where, expected="normalize_type L2 or L1", got=repr(self.options.normalize_type))
        self.squares = self.options.normalize_type == "L2"

    def reshape(self, bottom, top):
        shape = bottom[0].shape
        if not 1 <= len(shape) <= 4:
            raise ShapeError(self.where, expected="1 to 4 axes (N, C, H, W)", got=shape)
        n, c, h, w = shape + (1,) * (4 - len(shape))
        if h * w > 1 and not self.param.HasField("normalize_param"):
            raise ShapeError(
                self.where, expected="one place (N, C, 1, 1), or options", got=shape,
                hint='over C at every place: normalize_param { }; over whole samples: type: "L2Norm", or with the '
                     "learned factor of SSD norm_param { }")
        self.grouped = n, c, h * w
        self.lengths = self.xp.empty((n, 1, h * w), self.dtype)
        for blob, channels in zip(top, (c, 1)):
            blob.reshape((n, channels, h, w))

    def formula(self, x):
        x = x.reshape(self.grouped)
        r = np.sqrt((x ** 2).sum(1) + EPS) if self.squares else abs(x).sum(1) + EPS
        return (x / r[:, None], r)[:len(self.param.top)]

    def forward(self, bottom, top):
        def part(x, length, y):
            if self.squares:
                length[:, 0] = self.xp.einsum("ncp,ncp->np", x, x)
                length += EPS
                self.xp.sqrt(length, out=length)
            else:
                length[:, 0] = self.xp.abs(x).sum(axis=1)
                length += EPS
            self.xp.divide(x, length, out=y)

        in_parts(part, bottom[0].data.reshape(self.grouped), self.lengths, top[0].data.reshape(self.grouped))
        if len(top) == 2:
            top[1].data[...] = self.lengths.reshape(top[1].shape)

    def backward(self, top, propagate_down, bottom):
        def part(y, dy, length, length_diff, dx):
            slope = y if self.squares else self.xp.sign(y)  # of the length
            along = self.xp.einsum("ncp,ncp->np", y, dy)[:, None]
            along /= length
            if passes:
                along -= length_diff
            self.xp.divide(dy, length, out=dx)
            dx -= slope * along

        passes = len(top) == 2 and self.options.bp_norm
        if propagate_down[0]:
            lengths = top[1].diff.reshape(self.lengths.shape) if passes else self.lengths
            in_parts(part, top[0].data.reshape(self.grouped), top[0].diff.reshape(self.grouped), self.lengths, lengths,
                     bottom[0].diff.reshape(self.grouped))
