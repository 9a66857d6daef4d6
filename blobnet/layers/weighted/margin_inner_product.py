"""Fully connected layer with an angular margin: A-Softmax."""

from __future__ import annotations

import numpy as np

from blobnet.backend import folded
from blobnet.core.layer import Layer
from blobnet.core.registry import register
from blobnet.errors import NetError, ShapeError
from blobnet.layers.weighted._margin import margin_level
from blobnet.ops.angles import multiplied_angle
from blobnet.ops.indices import numbers_below
from blobnet.ops.linear import matmul

TINY = 1e-30  # lengths are no less, so that rows of zeros give 0


@register
class MarginInnerProduct(Layer):
    """Multiply samples with weights of length 1; the angle to a sample's own class is multiplied by m before.

    w_k = weight_k / ||weight_k||, which becomes the weight;   cos a_n = w_y . x_n / ||x_n||, y the class of n
    y_nk = w_k . x_n for k != y;   y_ny = ( lambda w_y . x_n + ||x_n|| psi(a_n) ) / (1 + lambda)
    psi(a) = (-1)^j cos(m a) - 2 j, where j pi <= m a <= (j + 1) pi
    lambda = max(lambda_min, base * (1 + gamma * (iteration + f))^-power) in the f-th forward

    dx_n = sum_k dy_nk w_k for k != y, + dy_ny (lambda w_y + s_n w_y + r_n x_n) / (1 + lambda),
    s_n and r_n: the derivative psi' by cos a_n, and (psi - psi' cos a_n) / ||x_n||, both divided by sqrt(s^2 + r^2)
    dweight += dy^T . x

    Bottoms: x (N, ...), read as N rows of D numbers; labels (N,), integers in 0 ... K - 1
    Tops: y (N, K); lambda (1,)
    Params: weight (K, D)
    Options: margin_inner_product_param.num_output K, type SINGLE (m = 1), DOUBLE (2), TRIPLE (3) or QUADRUPLE (4),
    weight_filler, axis (1; the axes before it count the rows), base (1), gamma (0), power (1), iteration (0),
    lambda_min (0), gradient
    Paper: Liu et al., SphereFace: Deep Hypersphere Embedding for Face Recognition, CVPR 2017.
    Quirks: the published gradient, shown above, divides by sqrt(s^2 + r^2), which changes nothing for SINGLE alone, and
    that of the weight knows neither margin nor length. gradient: EXACT is the derivative, by the weight as it was
    before this forward. lambda has no gradient. psi jumps where a cosine lies on the border of two j, as sign(0) = 0.
    Rows of zeros, in x or in the weight, give 0 here, nan in the authors' code. f begins at 1, also in a test net; the
    authors' began anew when training was resumed, here it goes on.
    """

    options_field = "margin_inner_product_param"
    param_names = ("weight",)
    replays = False  # its margin follows the step
    key_options = {"num_output": ""}
    published_gradient = True
    num_bottoms = num_tops = 2
    unforced_bottoms = (1,)

    def setup(self, bottom, top):
        if not self.options.num_output:
            raise NetError(self.where, expected="num_output above 0", got=self.options.num_output,
                           hint="write num_output, the number of classes, in margin_inner_product_param")
        self.axis = bottom[0].canonical_axis(self.options.axis, self.where)
        self.add_param((self.options.num_output, folded(bottom[0].shape, self.axis)[1]), self.options.weight_filler)

    def reshape(self, bottom, top):
        self.rows = folded(bottom[0].shape, self.axis)
        if self.rows[1] != self.param_data(0).shape[1]:
            raise ShapeError(self.where, expected=f"{self.param_data(0).shape[1]} numbers a row, as the weights have",
                             got=bottom[0].shape)
        if bottom[1].count != self.rows[0]:
            raise ShapeError(self.where, expected=f"one label a row, {self.rows[0]}", got=bottom[1].shape)
        top[0].reshape((*bottom[0].shape[:self.axis], self.options.num_output))
        top[1].reshape((1,))

    def multiply_adds(self, bottom, top):
        return self.rows[0] * self.blobs[0].count

    def formula(self, x, labels, weight):
        o, x, n, labels = self.options, x.reshape(self.rows), np.arange(self.rows[0]), labels.astype(int).ravel()
        y = x @ (weight / np.linalg.norm(weight, axis=1, keepdims=True)).T
        length, m = np.linalg.norm(x, axis=1), 1 + o.type
        angle = np.arccos(y[n, labels] / length)
        j = np.floor(m * angle / np.pi)
        psi = (-1) ** j * np.cos(m * angle) - 2 * j
        weight = max(o.lambda_min, o.base * (1 + o.gamma * (o.iteration + self.context.step + 1)) ** -o.power)
        y[n, labels] = (weight * y[n, labels] + length * psi) / (1 + weight)
        return y, weight

    def forward(self, bottom, top):
        xp, o, weight, x = self.xp, self.options, self.param_data(0), bottom[0].data.reshape(self.rows)
        self.labels = numbers_below(bottom[1].data, o.num_output, self.where, self.param.bottom[1],
                                    hint="num_output must cover all classes")[0].reshape(-1, 1)
        self.norms = xp.maximum(xp.sqrt(xp.square(weight).sum(axis=1, keepdims=True)), TINY)
        weight /= self.norms
        y = top[0].data.reshape(len(x), o.num_output)
        matmul(x, weight.T, y)
        self.own, own = xp.arange(o.num_output) == self.labels, xp.take_along_axis(y, self.labels, axis=1)
        self.lengths = xp.maximum(xp.sqrt(xp.square(x).sum(axis=1, keepdims=True)), TINY)
        self.cosines = own / self.lengths
        self.level = margin_level(o, self.context.step)
        own = (self.level * own + self.lengths * multiplied_angle(self.cosines, 1 + o.type)[0]) / (1 + self.level)
        xp.copyto(y, own, where=self.own)
        top[1].data[...] = self.level

    def backward(self, top, propagate_down, bottom):
        self.refuse_targets(propagate_down)
        xp, weight, x = self.xp, self.param_data(0), bottom[0].data.reshape(self.rows)
        dy = top[0].diff.reshape(len(x), len(weight))
        psi, slope = multiplied_angle(self.cosines, 1 + self.options.type)
        pull = (psi - slope * self.cosines) / self.lengths
        exact = self.options.gradient == self.options.EXACT
        scale = 1 if exact else 1 / xp.maximum(xp.hypot(slope, pull), TINY)
        through = xp.where(self.own, dy * ((self.level + slope * scale) / (1 + self.level)), dy)
        if self.param_propagate_down[0]:
            gradient = xp.empty_like(weight)
            matmul((through if exact else dy).T, x, gradient)
            if exact:
                gradient -= (gradient * weight).sum(axis=1, keepdims=True) * weight
                gradient /= self.norms
            self.param_diff(0)[...] += gradient
        if propagate_down[0]:
            dx = bottom[0].diff.reshape(self.rows)
            matmul(through, weight, dx)
            dx += xp.take_along_axis(dy, self.labels, axis=1) * pull * scale / (1 + self.level) * x
