"""Mean and variance normalisation."""

from __future__ import annotations

from blobnet.backend import folded
from blobnet.core.layer import Layer
from blobnet.core.registry import register
from blobnet.errors import ShapeError
from blobnet.ops.standardize import Eps, center, standardize, standardize_backward


@register
class MVN(Layer):
    """Bring every channel of every sample to mean 0 and variance 1.

    y = (x - mean(x)) / s,   s = sqrt(mean((x - mean(x))^2)) + eps,   dx = (dy - mean(dy) - y * mean(dy * y)) / s
    without normalize_variance: y = x - mean(x),   dx = dy - mean(dy)

    The means run over H and W, or with across_channels over C, H and W.

    Bottoms: x (N, C, H, W), or fewer axes, then H and W are 1
    Tops: y (N, C, H, W), always four axes; may be x itself
    Params: none
    Options: normalize_variance (true), across_channels (false), eps (1e-9)
    Paper: none; the contrast normalisation of a single image.
    Quirks: eps is added to the deviation, not to the variance. Backward treats it as part of the deviation, so the
    error of dx is of the order of eps. Backward reads y as layers that work in place on it leave it. With
    normalize_variance in place, backward overwrites dy while it still needs it, as in Caffe: dx = -2 / n * (y * k +
    sum(y) * k) / s with k = sum(dy * y) over the n values. propagate_down: false is ignored if backward runs.
    """

    options_field = "mvn_param"
    in_place = keeps_coordinates = True
    ignores_propagate_down = True

    def reshape(self, bottom, top):
        shape = bottom[0].shape
        if len(shape) > 4:
            raise ShapeError(self.where, expected="at most 4 axes (N, C, H, W)", got=shape)
        shape += (1,) * (4 - len(shape))
        leading = 1 if self.options.across_channels else 2
        rows, length = folded(shape, leading)
        self.grouped = (1, rows, length)
        self.mean, self.variance, self.deviation = (self.xp.empty(rows, self.dtype) for _ in range(3))
        top[0].reshape(shape)

    def formula(self, x):
        x = x.reshape(self.grouped)
        y = x - x.mean(2, keepdims=True)
        return y / (x.std(2, keepdims=True) + self.options.eps) if self.options.normalize_variance else y

    def forward(self, bottom, top):
        x, y = bottom[0].data.reshape(self.grouped), top[0].data.reshape(self.grouped)
        if self.options.normalize_variance:
            standardize(x, Eps(outside=self.options.eps), self.mean, self.variance, self.deviation, y)
        else:
            center(x, self.mean, y)

    def backward(self, top, propagate_down, bottom):
        if not propagate_down[0]:
            return
        y, dy, dx = (array.reshape(self.grouped) for array in (top[0].data, top[0].diff, bottom[0].diff))
        if not self.options.normalize_variance:
            center(dy, self.mean, dx)
        elif top[0] is bottom[0]:
            self._backward_in_place(y, dx)
        else:
            standardize_backward(y, dy, self.deviation, dx)

    def _backward_in_place(self, y, dx) -> None:
        dx *= y
        self.xp.multiply(y, dx.sum(axis=2, keepdims=True), out=dx)
        dx += dx.sum(axis=2, keepdims=True)
        dx *= -2 / max(1, dx.shape[2])
        dx /= self.deviation[:, None]
