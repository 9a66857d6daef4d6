"""Fully connected layer."""

from __future__ import annotations

from blobnet.backend import folded
from blobnet.core.layer import Layer
from blobnet.core.registry import register
from blobnet.errors import NetError, ShapeError
from blobnet.layers.weighted._product_terms import product_terms
from blobnet.ops.linear import Product, add_rows, matmul, multiply


@register
class InnerProduct(Layer):
    """Multiply every row with a matrix and add a bias.

    y = x . weight^T + bias,   dx = dy . weight,   dweight += dy^T . x,   dbias += sum of the rows of dy

    Bottoms: x (N, C, H, W), read as N rows of C*H*W
    Tops: y (N, K)
    Params: weight (K, C*H*W), or (C*H*W, K) with transpose; bias (K)
    Options: num_output K, bias_term (true), axis (1; the axes before it count the rows), transpose (false),
    weight_filler, bias_filler; engine (no effect)
    Paper: Rosenblatt, The perceptron, Psychological Review 1958.
    Quirks: none.
    """

    options_field = "inner_product_param"
    param_names = ("weight", "bias")
    legacy_axes = (2, 1)
    key_options = {"num_output": ""}
    shows_rates = True

    def setup(self, bottom, top):
        options = self.options
        if not options.num_output:
            raise NetError(self.where, expected="num_output above 0", got=options.num_output,
                           hint="write num_output, the length of a row of the top, in inner_product_param")
        self.axis = bottom[0].canonical_axis(options.axis, self.where)
        _, self.inner = folded(bottom[0].shape, self.axis)
        shape = (options.num_output, self.inner)
        self.add_param(shape[::-1] if options.transpose else shape, options.weight_filler)
        if options.bias_term:
            self.add_param(shape[:1], options.bias_filler)

    def reshape(self, bottom, top):
        self.rows, inner = folded(bottom[0].shape, self.axis)
        if inner != self.inner:
            raise ShapeError(self.where, expected=f"{self.inner} inputs a row, as the weights have",
                             got=f"{inner} of {bottom[0].shape}",
                             hint="only the axes before `axis` may change after the net was built")
        top[0].reshape((*bottom[0].shape[:self.axis], self.options.num_output))

    def multiply_adds(self, bottom, top):
        return self.rows * self.blobs[0].count

    def _weight(self, array):
        """The weight or its diff as (K, C*H*W), whichever way it is stored."""
        return array.T if self.options.transpose else array

    def terms(self, place, bottom, top):
        return product_terms(self, place, bottom, top)

    def arithmetic(self):
        return {"kind": "product", "rows": self.rows, "inner": self.inner, "outputs": self.options.num_output,
                "transpose": self.options.transpose, "bias": self.options.bias_term}

    def formula(self, x, weight, bias=0):
        return x.reshape(self.rows, -1) @ (weight if self.options.transpose else weight.T) + bias

    def forward(self, bottom, top):
        y = top[0].data.reshape(self.rows, self.options.num_output)
        matmul(bottom[0].data.reshape(self.rows, self.inner), self._weight(self.param_data(0)).T, y)
        if self.options.bias_term:
            y += self.param_data(1)

    def backward(self, top, propagate_down, bottom):
        dy = top[0].diff.reshape(self.rows, self.options.num_output)
        products = []
        if self.param_propagate_down[0]:
            x = bottom[0].data.reshape(self.rows, self.inner)
            products.append(Product(dy.T, x, self._weight(self.param_diff(0)), add=True))
        if propagate_down[0]:
            dx = bottom[0].diff.reshape(self.rows, self.inner)
            products.append(Product(dy, self._weight(self.param_data(0)), dx))
        multiply(*products)
        if self.options.bias_term and self.param_propagate_down[1]:
            add_rows(dy, self.param_diff(1))
