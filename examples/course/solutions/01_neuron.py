"""Solution of the exercise to lesson 01: a neuron, number by number."""

from blobnet import Layer, register
from blobnet.check.exercise import Exercise

EXERCISE = Exercise(
    layer="""layer { name: "neuron" type: "MyNeuron" bottom: "x" top: "y" inner_product_param {
        num_output: 1 weight_filler { type: "gaussian" } bias_filler { type: "gaussian" } } }""",
    bottoms=[(3, 4)], same_as="InnerProduct")


@register
class MyNeuron(Layer):
    """Multiply the numbers of every row with the weights of one neuron, and add the bias.

    y[n] = bias + sum over c of weight[c] * x[n, c],   dx[n, c] = dy[n] times the weight that x[n, c] meets,
    dweight[c] += sum over n of dy[n] times the input that weight[c] meets,   dbias += sum over n of dy[n]

    Bottoms: x (N, C)    Tops: y (N, 1)
    Params: weight (1, C), bias (1)
    Options: inner_product_param.num_output, which must be 1; weight_filler, bias_filler
    Paper: Rosenblatt, The perceptron, Psychological Review 1958.
    Quirks: loops over numbers, and so is slow; runs on the CPU only.
    """

    options_field = "inner_product_param"

    def setup(self, bottom, top):
        self.add_param((1, bottom[0].shape[1]), self.options.weight_filler)
        self.add_param((1,), self.options.bias_filler)

    def reshape(self, bottom, top):
        top[0].reshape((bottom[0].shape[0], 1))

    def forward(self, bottom, top):
        x, y = bottom[0].data, top[0].data
        weight, bias = self.param_data(0)[0], self.param_data(1)[0]
        for n in range(len(x)):
            y[n, 0] = bias
            for c in range(len(weight)):
                # What input c of row n adds to the output of the row.
                y[n, 0] += weight[c] * x[n, c]

    def backward(self, top, propagate_down, bottom):
        x, dx, dy = bottom[0].data, bottom[0].diff, top[0].diff
        weight, dweight, dbias = self.param_data(0)[0], self.param_diff(0)[0], self.param_diff(1)
        for n in range(len(x)):
            # How fast the loss grows with the bias, by row n alone; the rows are added.
            dbias[0] += dy[n, 0]
            for c in range(len(weight)):
                # The same for weight c.
                dweight[c] += dy[n, 0] * x[n, c]
                if propagate_down[0]:
                    # The same for input c of row n. No other output depends on it, so nothing is added.
                    dx[n, c] = dy[n, 0] * weight[c]
