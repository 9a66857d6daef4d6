"""The normalisation of SSD and ParseNet."""

from __future__ import annotations

import numpy as np

from blobnet.backend import folded
from blobnet.core.layer import Layer
from blobnet.core.registry import register
from blobnet.errors import ShapeError
from blobnet.ops.elementwise import in_parts
from blobnet.proto.messages import new


@register
class SSDNormalize(Layer):
    """Bring samples, or the channels at every place of them, to Euclidean length 1, and scale them by a learned factor.

    y = a x / r,   r = sqrt(sum(x^2) + eps), summed over C, H and W, or with across_spatial: false over C at each place

    dx = a (dy - x sum(dy x) / r^2) / r, or with gradient: EXACT   (a dy - x sum(a dy x) / r^2) / r; they differ if the
    elements of a do;   da += sum(dy x / r)

    A net writes type: "Normalize" for this layer and for ChannelNormalize. It is this one if it has norm_param { … }.

    Bottoms: x (N, C, H, W), at least 2 axes    Tops: y (as x)
    Params: a () with channel_shared, otherwise (C)
    Options: norm_param.across_spatial (true), scale_filler of a (1), channel_shared (true), eps (1e-10), gradient
    Paper: Liu et al., ParseNet: Looking Wider to See Better, arXiv 1506.04579; Liu et al., SSD: Single Shot MultiBox
    Detector, ECCV 2016, which use across_spatial: false and channel_shared: false.
    Quirks: where across_spatial is not given, whole samples are brought to length 1. A scale_filler without a value
    fills with 0. The authors divide by a in da, which is nan where a is 0; here it is not.
    """

    options_field = "norm_param"
    param_names = ("weight",)
    variant_of = "Normalize"
    keeps_coordinates = published_gradient = True

    @classmethod
    def claims(cls, param):
        return param.HasField("norm_param")

    def setup(self, bottom, top):
        options, shape = self.options, bottom[0].shape
        if len(shape) < 2:
            raise ShapeError(self.where, expected="at least 2 axes (N, C, …)", got=shape)
        filler = options.scale_filler if options.HasField("scale_filler") else new("FillerParameter", value=1)
        self.add_param(() if options.channel_shared else shape[1:2], filler)
        self.channels = shape[1]

    def reshape(self, bottom, top):
        shape = bottom[0].shape
        if shape[1:2] != (self.channels,):
            raise ShapeError(self.where, expected=f"{self.channels} channels on axis 1", got=shape)
        self.grouped = folded(shape, 1, 2)
        self.lengths = self.xp.empty((shape[0], 1, 1 if self.options.across_spatial else self.grouped[2]), self.dtype)
        top[0].reshape(shape)

    def formula(self, x, a):
        x = x.reshape(self.grouped)
        squares = (x ** 2).sum((1, 2) if self.options.across_spatial else 1, keepdims=True)
        return a.reshape(-1, 1) * x / np.sqrt(squares + self.options.eps)

    def _dot(self, a, b):
        """The sums of a * b over what is brought to length 1."""
        sums = self.xp.einsum("ncp,ncp->n" if self.options.across_spatial else "ncp,ncp->np", a, b)
        return sums.reshape(len(a), 1, -1)

    def forward(self, bottom, top):
        factor = self.param_data(0).reshape(-1, 1)

        def part(x, length, y):
            self.xp.sqrt(self._dot(x, x) + self.options.eps, out=length)
            self.xp.divide(x, length, out=y)
            y *= factor

        in_parts(part, bottom[0].data.reshape(self.grouped), self.lengths, top[0].data.reshape(self.grouped))

    def backward(self, top, propagate_down, bottom):
        factor, exact = self.param_data(0).reshape(-1, 1), self.options.gradient == self.options.EXACT
        x, dy, dx = (array.reshape(self.grouped) for array in (bottom[0].data, top[0].diff, bottom[0].diff))

        def scale_slopes(x, dy, length):
            return (dy * x / length).sum((0, 2))

        def part(x, dy, length, dx):
            scaled = dy * factor if exact else dy
            dx[...] = scaled - x * (self._dot(scaled, x) / length ** 2)
            dx /= length
            if not exact:
                dx *= factor

        if self.param_propagate_down[0]:
            slopes = sum(in_parts(scale_slopes, x, dy, self.lengths), self.xp.zeros(self.channels, self.dtype))
            self.param_diff(0)[...] += slopes.sum() if self.options.channel_shared else slopes
        if propagate_down[0]:
            in_parts(part, x, dy, self.lengths, dx)
