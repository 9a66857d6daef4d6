"""Reduction to a number."""

from __future__ import annotations

from blobnet.backend import folded
from blobnet.core.layer import Layer
from blobnet.core.registry import register


@register
class Reduction(Layer):
    """Add up the elements of every row, or of the whole blob.

    SUM: y_n = c * sum_k x_nk,   dx_nk = c * dy_n
    ASUM: y_n = c * sum_k |x_nk|,   dx_nk = c * dy_n * sign(x_nk)
    SUMSQ: y_n = c * sum_k x_nk^2,   dx_nk = 2 * c * dy_n * x_nk
    MEAN: as SUM with c / K instead of c, where K is the number of elements a row

    Bottoms: x (any shape)    Tops: y (the axes of x before `axis`)    Params: none
    Options: operation (SUM), axis (0; negative from the end), the first of the axes that are reduced; coeff c (1)
    Paper: none.
    Quirks: all axes from `axis` on are reduced, never one in the middle. The gradient of |x| at 0 is 0.
    """

    options_field = "reduction_param"
    key_options = {"operation": ""}

    def reshape(self, bottom, top):
        options, shape = self.options, bottom[0].shape
        axis = bottom[0].canonical_axis(options.axis, self.where)
        self.rows = folded(shape, axis)
        self.factor = options.coeff / max(1, self.rows[1]) if options.operation == options.MEAN else options.coeff
        top[0].reshape(shape[:axis])

    def forward(self, bottom, top):
        x, y, options = bottom[0].data.reshape(self.rows), top[0].data.reshape(-1), self.options
        if options.operation == options.SUMSQ:
            y[...] = self.xp.einsum("nk,nk->n", x, x)
        else:
            (self.xp.abs(x) if options.operation == options.ASUM else x).sum(axis=1, out=y)
        y *= self.factor

    def backward(self, top, propagate_down, bottom):
        if not propagate_down[0]:
            return
        x, dx, options = bottom[0].data.reshape(self.rows), bottom[0].diff.reshape(self.rows), self.options
        slope = top[0].diff.reshape(-1, 1) * self.factor
        if options.operation == options.ASUM:
            self.xp.multiply(self.xp.sign(x), slope, out=dx)
        elif options.operation == options.SUMSQ:
            self.xp.multiply(x, 2 * slope, out=dx)
        else:
            dx[...] = slope
