"""Solution of the exercise to lesson 07: a convolution as columns and one product."""

import numpy as np

from blobnet import Layer, register
from blobnet.check.exercise import Exercise

EXERCISE = Exercise(
    layer="""layer { name: "conv" type: "MyConvolution" bottom: "x" top: "y" convolution_param {
        num_output: 3 kernel_size: 3 pad: 1 weight_filler { type: "gaussian" std: 0.5 }
        bias_filler { type: "uniform" min: -1 max: 1 } } }""",
    bottoms=[(2, 2, 5, 4)], same_as="Convolution")


@register
class MyConvolution(Layer):
    """Slide a bank of square filters over the spatial axes, one step at a time.

    y[n, k, p, q] = bias[k] + sum over c, r, s of weight[k, c, r, s] * x[n, c, p + r - pad, q + s - pad]
    dweight[k, c, r, s] += sum over n, p, q of dy[n, k, p, q] * x[n, c, p + r - pad, q + s - pad]
    dbias[k] += sum over n, p, q of dy;   dx = every dy times its weights, added where they were read

    Bottoms: x (N, C, H, W)    Tops: y (N, K, P, Q), P = H + 2 pad - R + 1
    Params: weight (K, C, R, R), bias (K)
    Options: convolution_param.num_output K, kernel_size R, pad (0), weight_filler, bias_filler
    Paper: LeCun et al., Gradient-based learning applied to document recognition, Proceedings of the IEEE 1998.
    Quirks: no stride, dilation or groups; always with a bias; runs on the CPU only.
    """

    options_field = "convolution_param"

    def setup(self, bottom, top):
        options, channels = self.options, bottom[0].shape[1]
        self.pad = options.pad[0] if options.pad else 0
        self.kernel = channels, options.kernel_size[0], options.kernel_size[0]  # C, R, S
        self.add_param((options.num_output, *self.kernel), options.weight_filler)
        self.add_param((options.num_output,), options.bias_filler)

    def reshape(self, bottom, top):
        num, _, height, width = bottom[0].shape
        more = 2 * self.pad - self.kernel[1] + 1
        self.places = height + more, width + more  # P, Q
        top[0].reshape((num, self.options.num_output, *self.places))

    def shifted(self, planes):
        """For every place r, s of the kernel: the part (N, C, P, Q) of padded planes that it meets, at all p, q."""
        (_, height, width), (rows, columns) = self.kernel, self.places
        return [planes[:, :, r:r + rows, s:s + columns] for r, s in np.ndindex(height, width)]

    def padded(self, x):
        """A copy of x with `pad` zeros on all four sides."""
        return np.pad(x, ((0, 0), (0, 0), (self.pad, self.pad), (self.pad, self.pad)))

    def forward(self, bottom, top):
        num, outputs = top[0].shape[:2]
        weight = self.param_data(0).reshape(outputs, -1)                      # (K, C R S)
        columns = np.stack(self.shifted(self.padded(bottom[0].data)), axis=2)  # (N, C, R S, P, Q)
        # The same numbers as (N, C R S, P Q).
        self.columns = columns.reshape(num, weight.shape[1], -1)
        # All outputs (N, K, P Q): one product of matrices, and the bias (K,) of each output.
        y = weight @ self.columns + self.param_data(1)[:, None]
        top[0].data[:] = y.reshape(top[0].shape)

    def backward(self, top, propagate_down, bottom):
        num, outputs = top[0].shape[:2]
        weight, dy = self.param_data(0).reshape(outputs, -1), top[0].diff.reshape(num, outputs, -1)
        # (K, C R S): dy times the number that the weight was multiplied with, over all n and p, q.
        dweight = (dy @ self.columns.transpose(0, 2, 1)).sum(axis=0)
        # (K,): dy over all n and p, q.
        dbias = dy.sum(axis=(0, 2))
        self.param_diff(0)[:] += dweight.reshape(self.param_diff(0).shape)
        self.param_diff(1)[:] += dbias
        if propagate_down[0]:
            # (N, C R S, P Q): the gradient of every number in the columns.
            dcolumns = weight.T @ dy
            self.add_back(dcolumns, bottom[0].diff)

    def add_back(self, dcolumns, dx):
        """dx = the gradients of the columns, each added where its number was read; what fell on the padding is lost."""
        planes = self.padded(np.zeros_like(dx))
        parts = dcolumns.reshape(*dx.shape[:2], -1, *self.places)  # (N, C, R S, P, Q)
        for i, part in enumerate(self.shifted(planes)):
            part += parts[:, :, i]
        dx[:] = planes[:, :, self.pad:self.pad + dx.shape[2], self.pad:self.pad + dx.shape[3]]
