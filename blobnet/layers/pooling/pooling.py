"""Pooling layer."""

from __future__ import annotations

import numpy as np

from blobnet.core.context import TRAIN
from blobnet.core.registry import register
from blobnet.errors import NetError, ShapeError
from blobnet.layers.pooling._base import make_pool, of_window, window_axes, window_sizes
from blobnet.layers.pooling._terms import PoolTerms
from blobnet.netdef.windows import places_under, window_line
from blobnet.netdef.words import option_words


@register
class Pooling(PoolTerms):
    """Reduce each window of each channel to its maximum, its average, or a value drawn from it.

    MAX  y[n, c, p, q] = max of x[n, c, h, w] over the window's h, w;   dx[n, c, h, w] = sum of dy whose maximum it is
    AVE  y[n, c, p, q] = sum of x[n, c, h, w] over the window's h, w / divisor;   dx = sum of dy / divisor
    STOCHASTIC  TRAIN: y = x[n, c, h, w] with probability x[n, c, h, w] / S, S = sum of x over the window;
    dx = sum of dy it was drawn for.   TEST: y = sum of x squared / S;   dx = sum of dy (2 x - y) / S
    The window of p starts at p * stride - pad and has `kernel` rows, less those outside x.
    P = (H + 2 pad - R) / stride + 1, rounded up (round_mode FLOOR: down)

    Bottoms: x (N, C, H, W), or any number of spatial axes but none
    Tops: y (N, C, P, Q)[, MAX only: where each maximum lies, h * W + w]
    Params: none
    Options: pool (MAX), kernel_size, stride (1), pad (0; none with STOCHASTIC), for all spatial axes, or of two axes
    in the fields kernel_h and kernel_w and so on; round_mode (CEIL) or a dialect's ceil_mode (true: CEIL, false:
    FLOOR); global_pooling (the window is the whole plane); engine is accepted, without effect
    Paper: LeCun et al., Gradient-based learning applied to document recognition, Proceedings of the IEEE 1998 (AVE);
    Ranzato et al., Unsupervised learning of invariant feature hierarchies, CVPR 2007 (MAX); Zeiler and Fergus,
    Stochastic pooling for regularization of deep convolutional neural networks, ICLR 2013 (STOCHASTIC).
    Quirks: with padding, a last window that would start beyond x and its near padding is dropped. The divisor of AVE
    counts padding, but not beyond H + pad. The first of equal maxima takes the gradient. Without padding, a stride
    above the kernel can leave a last window beyond x: its maximum is the lowest number, its average 0, or nan where it
    starts right at the edge (0 divided by 0), and it passes no gradient. Caffe has STOCHASTIC on GPUs only, and
    takes the TEST gradient at draws never made; here it is the derivative. Of a window of zeros the first is drawn.
    STOCHASTIC is for x >= 0: a window whose running sum stays below its threshold, in TEST one whose sum is not above
    0, gives 0 and passes no gradient. Caffe pools two spatial axes only.
    """

    options_field = window_field = "pooling_param"
    num_bottoms, num_tops = 1, (1, 2)

    @classmethod
    def coordinates(cls, layer):
        return places_under(layer.pooling_param)

    @classmethod
    def facts(cls, layer):
        options, kind = layer.pooling_param, option_words(layer.pooling_param, "pool")
        return [f"{kind}, global"] if options.global_pooling else [kind, window_line(options)]

    def setup(self, bottom, top):
        options = self.options
        self.spatial = bottom[0].num_axes - 2
        if self.spatial < 1:
            raise ShapeError(self.where, expected="axes (N, C, H, W), one spatial axis at least", got=bottom[0].shape)
        self.method = {options.MAX: "MAX", options.AVE: "AVE", options.STOCHASTIC: "STOCHASTIC"}[options.pool]
        if len(top) == 2 and self.method != "MAX":
            raise NetError(self.where, "the second top is for pool: MAX", expected="1 top", got="2 tops")
        of_options = options, self.spatial, self.where
        self.kernel = None if options.global_pooling else window_sizes(*of_options, "kernel", "kernel_size", least=1)
        self.stride = window_sizes(*of_options, "stride", "stride", least=1, optional=True)
        self.pad = window_sizes(*of_options, "pad", "pad", optional=True)
        if options.global_pooling:
            given = [field for field in ("kernel_size", "kernel_h", "kernel_w") if options.HasField(field)]
            if given or any(self.pad) or max(self.stride) > 1:
                raise NetError(self.where, expected="no kernel, pad 0 and stride 1 with global_pooling",
                               got=", ".join([*given, f"pad {self.pad}", f"stride {self.stride}"]))
        elif any(pad >= kernel for pad, kernel in zip(self.pad, self.kernel)):
            raise NetError(self.where, expected=f"pad below the kernel {self.kernel}", got=f"pad {self.pad}")
        if any(self.pad) and self.method == "STOCHASTIC":
            raise NetError(self.where, expected="pad 0 with pool: STOCHASTIC", got=f"pad {self.pad}")

    def reshape(self, bottom, top):
        shape = bottom[0].shape
        if len(shape) != self.spatial + 2:
            raise ShapeError(self.where, expected=f"{self.spatial + 2} axes, as when the net was built", got=shape)
        kernel = self.kernel or shape[2:]
        axes = window_axes(shape[2:], kernel, self.stride, self.pad, self.options.round_mode == self.options.CEIL)
        if any(axis.out < 1 or axis.taps < 1 for axis in axes):
            raise ShapeError(self.where, expected=f"a plane that fits a {kernel} window", got=shape, hint="take larger "
                             "images, lower kernel_size, or write global_pooling: true for windows of the whole plane")
        self.pooled = (*shape[:2], *(axis.out for axis in axes))
        for blob in top:
            blob.reshape(self.pooled)
        self.axes = axes
        self.windows = make_pool(self.method, self.phase == TRAIN, self.xp, self.dtype, *shape[:2], axes)

    def formula(self, x):
        if self.method == "STOCHASTIC" and self.phase == TRAIN:
            return None  # drawn
        size = x.shape[2:]
        places, (y, lies) = np.arange(np.prod(size)).reshape(size), np.empty((2, *self.pooled))
        for p in np.ndindex(*self.pooled[2:]):
            start = np.multiply(p, self.stride) - self.pad
            stop = np.minimum(start + (self.kernel or size), np.add(size, self.pad))
            rows = tuple(map(slice, np.maximum(start, 0), stop))
            window = x[(..., *rows)].reshape(*x.shape[:2], -1)
            y[(..., *p)] = of_window(self.method, window, np.prod(stop - start))
            lies[(..., *p)] = places[rows].ravel()[window.argmax(-1)] if window.size else -1
        return y, lies

    def forward(self, bottom, top):
        if self.method == "STOCHASTIC" and self.phase == TRAIN:
            self.windows.draw(self.random())
        self.windows.forward(bottom[0].data, top[0].data)
        if len(top) == 2:
            self.windows.places(top[1].data)

    def backward(self, top, propagate_down, bottom):
        if propagate_down[0]:
            self.windows.backward(top[0].diff, bottom[0].diff)
