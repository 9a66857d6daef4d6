"""The loss of a segmentation beside YOLOv3."""

from __future__ import annotations

import numpy as np

from blobnet.core.loss_layer import LossLayer
from blobnet.core.registry import register
from blobnet.errors import DataError, NetError, ShapeError


@register
class YoloSeg(LossLayer):
    """How far the logistic function of every score is from the share of its class in its place.

    loss = 1/N * sum d^2,   dx = weight/N * d,   d = w (s(x) - y),   s(x) = 1 / (1 + e^-x)
    w = object_scale, with a third bottom n times 2 - r where y is above 0.5:  r = sum n / sum (H W - n), of a class

    Bottoms: x (N, C, H, W); y (as x), in [0, 1][; n (N, C), in how many places a class is]
    Tops: loss ()
    Params: none
    Options: yolo_seg_param.object_scale (5), gradient
    Paper: none known; the fork of MobileNet-YOLO.
    Quirks: the published gradient, shown above, is not the derivative of the loss; gradient: EXACT is. n of all places
    leaves 2 - r without a bound, as there; that is an error here. num_class, class_scale, use_logic_gradient and
    use_hardsigmoid have no effect.
    """

    options_field = "yolo_seg_param"
    num_bottoms = (2, 3)
    unforced_bottoms = (1, 2)
    published_gradient = True

    def setup(self, bottom, top):
        if not np.isfinite(self.options.object_scale):
            raise NetError(self.where, expected="a finite object_scale", got=self.options.object_scale)

    def reshape(self, bottom, top):
        shape = bottom[0].shape
        if len(shape) != 4 or bottom[1].count != bottom[0].count or bottom[1].shape[:1] != shape[:1]:
            raise ShapeError(self.where, expected="scores (N, C, H, W) and as many shares", got=f"{shape} and "
                             f"{bottom[1].shape}")
        if len(bottom) > 2 and bottom[2].count != shape[0] * shape[1]:
            raise ShapeError(self.where, f"bottom 2 {self.param.bottom[2]!r}", expected=f"places {shape[:2]}",
                             got=bottom[2].shape)
        top[0].reshape(())

    def forward(self, bottom, top):
        x, xp = bottom[0].data, self.xp
        images, classes, height, width = x.shape
        y = bottom[1].data.reshape(x.shape)
        with np.errstate(over="ignore"):
            self.s = 1 / (1 + xp.exp(-x))
        self.w = xp.full_like(x, self.options.object_scale)
        if len(bottom) > 2 and images:
            count = bottom[2].data.reshape(images, classes).sum(axis=0)
            rest = images * height * width - count
            if not bool((rest > 0).all()):
                raise DataError(self.where, expected=f"fewer than {images * height * width} places of each class",
                                got=float(count.max()))
            self.w *= xp.where(y > 0.5, (2 - count / rest)[:, None, None], 1)
        self.d = self.w * (self.s - y)
        top[0].data[...] = (self.d ** 2).sum() / max(images, 1)

    def backward(self, top, propagate_down, bottom):
        self.refuse_targets(propagate_down)
        if propagate_down[0]:
            dx = self.d
            if self.options.gradient == self.options.EXACT:
                dx = 2 * self.d * self.w * self.s * (1 - self.s)
            bottom[0].diff[...] = dx * (self.weight(top) / max(bottom[0].shape[0], 1))
