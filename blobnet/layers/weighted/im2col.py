"""Image patches as columns."""

from __future__ import annotations

from math import prod

import numpy as np

from blobnet.core.layer import Layer
from blobnet.core.registry import register
from blobnet.errors import ShapeError
from blobnet.layers.weighted._sliding import sliding
from blobnet.netdef.windows import places_under, window_line
from blobnet.ops.axes import output_size
from blobnet.ops.im2col import col2im, im2col


@register
class Im2col(Layer):
    """Lay out the patch under every position of a kernel, as Convolution multiplies it with its weights.

    y[n, (c, r, s), p, q] = x[n, c, p * stride + r * dilation - pad, q * stride + s * dilation - pad],   zeros outside x
    dx[n, c, h, w] = sum of dy over all places where x[n, c, h, w] stands

    Bottoms: x (N, C, H, W), or any number of spatial axes but none
    Tops: y (N, C * R * S, P, Q), P and Q as in Convolution
    Params: none
    Options: of convolution_param: kernel_size, stride (1), pad (0), dilation (1): once, once for each spatial axis, or
    as kernel_h, kernel_w and so on; axis (1) of the channels; force_nd_im2col, engine and the fields that describe
    weights (num_output, bias_term, group, fillers) are accepted, without effect
    Paper: Chellapilla et al., High performance convolutional neural networks for document processing, IWFHR 2006.
    Quirks: a kernel that reaches less than a stride beyond the padded end has one position. propagate_down: false
    is ignored if backward runs.
    """

    options_field = window_field = "convolution_param"
    ignores_propagate_down = True

    @classmethod
    def coordinates(cls, layer):
        return places_under(layer.convolution_param)

    @classmethod
    def facts(cls, layer):
        return [window_line(layer.convolution_param)]

    def setup(self, bottom, top):
        self.axis = bottom[0].canonical_axis(self.options.axis, self.where)
        spatial = bottom[0].num_axes - self.axis - 1
        if spatial < 1:
            raise ShapeError(self.where, expected=f"a spatial axis after axis {self.axis}", got=bottom[0].shape)
        self.sliding = sliding(self.options, spatial, self.where)

    def reshape(self, bottom, top):
        shape, kernel = bottom[0].shape, self.sliding.kernel
        lead, spatial = shape[:self.axis], shape[self.axis + 1:]
        if len(spatial) != len(kernel):
            raise ShapeError(self.where, expected=f"{len(kernel)} spatial axes after axis {self.axis}", got=shape,
                             hint="the net was built with as many")
        sizes = tuple(map(output_size, spatial, *self.sliding))
        if any(size < 1 for size in sizes):
            raise ShapeError(self.where, expected="spatial axes that the kernel fits into",
                             got=f"{spatial} under {self.sliding.words()}", hint="lower kernel_size or raise pad")
        columns = shape[self.axis] * prod(kernel)
        self.bottom_shape, self.top_shape = (prod(lead), *shape[self.axis:]), (prod(lead), columns, *sizes)
        top[0].reshape((*lead, columns, *sizes))

    def formula(self, x):
        kernel, stride, pad, dilation = self.sliding
        x = np.pad(x.reshape(self.bottom_shape), ((0, 0), (0, 0), *((p, p + s) for p, s in zip(pad, stride))))
        y = np.empty((*x.shape[:2], *kernel, *self.top_shape[2:]))
        for r in np.ndindex(*kernel):
            for p in np.ndindex(*self.top_shape[2:]):
                y[(..., *r, *p)] = x[(..., *np.multiply(p, stride) + np.multiply(r, dilation))]
        return y

    def forward(self, bottom, top):
        im2col(bottom[0].data.reshape(self.bottom_shape), *self.sliding, top[0].data.reshape(self.top_shape))

    def backward(self, top, propagate_down, bottom):
        if propagate_down[0]:
            col2im(top[0].diff.reshape(self.top_shape), *self.sliding, bottom[0].diff.reshape(self.bottom_shape))
