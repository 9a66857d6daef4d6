"""Exercise to lesson 05: a layer of neurons as products of matrices.

Every `...` is a blank that stands for one expression; the comment above it says what is wanted. Fill them in, and let

    blobnet grade examples/course/exercises/05_inner_product.py

compare forward with InnerProduct's, and backward with central differences. examples/course/solutions has the same
file without blanks.
"""

from blobnet import Layer, register
from blobnet.check.exercise import Exercise

EXERCISE = Exercise(
    layer="""layer { name: "ip" type: "MyInnerProduct" bottom: "x" top: "y" inner_product_param {
        num_output: 3 weight_filler { type: "gaussian" } bias_filler { type: "gaussian" } } }""",
    bottoms=[(5, 4)], same_as="InnerProduct")


@register
class MyInnerProduct(Layer):
    """Multiply every row with a matrix and add a bias.

    y[n, k] = bias[k] + sum over c of x[n, c] * weight[k, c],   dx[n, c] = sum over k of dy[n, k] * weight[k, c],
    dweight[k, c] += sum over n of dy[n, k] * x[n, c],   dbias[k] += sum over n of dy[n, k]

    Bottoms: x (N, C)    Tops: y (N, K)
    Params: weight (K, C), bias (K)
    Options: inner_product_param.num_output K, weight_filler, bias_filler
    Paper: Rosenblatt, The perceptron, Psychological Review 1958.
    Quirks: always with a bias; runs on the CPU only.
    """

    options_field = "inner_product_param"

    def setup(self, bottom, top):
        self.add_param((self.options.num_output, bottom[0].shape[1]), self.options.weight_filler)
        self.add_param((self.options.num_output,), self.options.bias_filler)

    def reshape(self, bottom, top):
        top[0].reshape((bottom[0].shape[0], self.options.num_output))

    def forward(self, bottom, top):
        x, weight, bias = bottom[0].data, self.param_data(0), self.param_data(1)
        # (N, K): all outputs at once; @ multiplies matrices, .T transposes one.
        y = ...
        top[0].data[:] = y

    def backward(self, top, propagate_down, bottom):
        x, dy, weight = bottom[0].data, top[0].diff, self.param_data(0)
        # (K, C): the derivative of the loss with respect to the weight, summed over rows. The shapes tell the order.
        dweight = ...
        # (K,): the same for the bias, which every row was given.
        dbias = ...
        self.param_diff(0)[:] += dweight
        self.param_diff(1)[:] += dbias
        if propagate_down[0]:
            # (N, C): the same for x, summed over the outputs, each of which saw it.
            dx = ...
            bottom[0].diff[:] = dx
