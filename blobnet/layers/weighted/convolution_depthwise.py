"""A filter for every channel."""

from __future__ import annotations

import numpy as np

from blobnet.core.registry import register
from blobnet.errors import NetError, ShapeError
from blobnet.layers.weighted._convolving import ConvolvingLayer
from blobnet.layers.weighted._sliding import Sliding


@register
class ConvolutionDepthwise(ConvolvingLayer):
    """Slide one filter over every channel.

    y[n, c, p, q] = bias[c] + sum over r, s of
                    weight[c, 0, r, s] * x[n, c, p * stride + r * dilation - pad, q * stride + s * dilation - pad]
    P = (H + 2 pad - dilation (R - 1) - 1) / stride + 1, rounded down; zeros lie outside x
    dx[n, c] = the deconvolution of dy[n, c] with weight[c],   dbias[c] += sum over n, p, q of dy[n, c, p, q]
    dweight[c, 0, r, s] += sum over n, p, q of dy[n, c, p, q] * x[n, c, p * stride + r * dilation - pad, ...]

    Bottoms: x (N, C, H, W)    Tops: y (N, C, P, Q)
    Params: weight (C, 1, R, S), bias (C)
    Options: of convolution_param: kernel_size, stride, pad (each must be given) and dilation (1): once or twice, or,
    but for dilation, as kernel_h and kernel_w and so on, which win; bias_term (true); weight_filler, bias_filler
    Paper: Howard et al., MobileNets: Efficient convolutional neural networks for mobile vision applications, 2017.
    Quirks: num_output and group have no effect, nor have axis, engine and force_nd_im2col. Stride and pad have no
    default. One of kernel_h and kernel_w alone has no effect, likewise for stride and pad.
    """

    num_bottoms = num_tops = 1

    @classmethod
    def coordinates(cls, layer):
        sides = any(field.name.endswith("_h") for field, _ in layer.convolution_param.ListFields())
        return None if sides else super().coordinates(layer)

    def setup(self, bottom, top):
        if bottom[0].num_axes != 4:
            raise ShapeError(self.where, expected="4 axes (N, C, H, W)", got=bottom[0].shape)
        self.axis, self.channels = 1, bottom[0].shape[1]
        self.outputs = self.group = self.channels
        self.sliding = Sliding(self.pair("kernel", "kernel_size", 1), self.pair("stride", "stride", 1),
                               self.pair("pad", "pad", 0), self.pair("", "dilation", 1))
        self.add_param((self.channels, 1, *self.sliding.kernel), self.options.weight_filler)
        if self.options.bias_term:
            self.add_param((self.channels,), self.options.bias_filler)

    def pair(self, stem: str, field: str, least: int) -> tuple[int, ...]:
        """The sizes of a field for height and width."""
        sides = [f"{stem}_h", f"{stem}_w"] if stem else []
        if sides and all(map(self.options.HasField, sides)):
            values = tuple(getattr(self.options, side) for side in sides)
        else:
            values = tuple(getattr(self.options, field)) or ((1,) if not stem else ())
            values = values * 2 if len(values) == 1 else values
        if len(values) != 2 or min(values) < least:
            raise NetError(self.where, expected=f"{field} once or twice, {least} or more", got=values or "none",
                           hint="" if values else f"this type has no default for it: write {field}: {least}")
        return values

    def formula(self, x, weight, bias=0):
        size, (pad, stride) = self.top_shape[2:], (self.sliding.pad, self.sliding.stride)
        x = np.pad(x.reshape(self.bottom_shape), ((0, 0), (0, 0), *zip(pad, np.add(pad, stride))))
        y = np.zeros(self.top_shape)
        for r, s in np.ndindex(*self.sliding.kernel):
            h, w = (np.arange(count) * step + place * apart for count, step, place, apart
                    in zip(size, stride, (r, s), self.sliding.dilation))
            y += weight[:, 0, r, s, None, None] * x[:, :, h[:, None], w]
        return y + np.reshape(bias, (-1, 1, 1))
