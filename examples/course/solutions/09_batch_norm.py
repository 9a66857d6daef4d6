"""Solution of the exercise to lesson 09: batch normalisation and the three parts of its gradient."""

import numpy as np

from blobnet import Layer, register
from blobnet.check.exercise import Exercise
from blobnet.proto.messages import new

EXERCISE = Exercise(
    layer="""layer { name: "norm" type: "MyBatchNorm" bottom: "x" top: "y" phase: TRAIN
        param { lr_mult: 0 } param { lr_mult: 0 } param { lr_mult: 0 }
        batch_norm_param { moving_average_fraction: 0.9 eps: 0.01 } }""",
    bottoms=[(4, 3, 2, 2)], same_as="BatchNorm")
CHANNEL = (0, 2, 3)  # the axes that a channel's numbers lie along


@register
class MyBatchNorm(Layer):
    """Bring every channel of a batch to mean 0 and variance 1.

    y = (x - m) / s,   s = sqrt(v + eps),   m and v = mean and variance of the M = N * H * W numbers of a channel
    dx = dy / s - mean(dy) / s - y * mean(dy * y) / s
    Every forward adds to the running sums:
    mean = fraction * mean + m,   variance = fraction * variance + v * M / (M - 1),   factor = fraction * factor + 1

    Bottoms: x (N, C, H, W)    Tops: y (as x)
    Params: running sums mean (C), variance (C) and factor (1,); all begin at 0, and lr_mult must be 0
    Options: batch_norm_param.moving_average_fraction (0.999), eps (1e-5)
    Paper: Ioffe and Szegedy, Batch Normalization: Accelerating Deep Network Training by Reducing Internal Covariate
    Shift, ICML 2015. Its scale and shift are a Scale layer of their own.
    Quirks: as in TRAIN, whatever the phase; forward changes the parameters; runs on the CPU only.
    """

    options_field = "batch_norm_param"

    def setup(self, bottom, top):
        channels = bottom[0].shape[1]
        for size in (channels, channels, 1):
            self.add_param((size,), new("FillerParameter"))

    def reshape(self, bottom, top):
        top[0].reshape(bottom[0].shape)

    def forward(self, bottom, top):
        x = bottom[0].data
        mean = x.mean(axis=CHANNEL, keepdims=True)  # (1, C, 1, 1), as all numbers of a channel below
        variance = x.var(axis=CHANNEL, keepdims=True)
        self.deviation = np.sqrt(variance + self.options.eps)
        # x, normalised.
        self.y = (x - mean) / self.deviation
        top[0].data[:] = self.y
        count = x.size // x.shape[1]
        for i, value in enumerate((mean.reshape(-1), variance.reshape(-1) * count / (count - 1), 1)):
            # The running sum self.param_data(i) after this forward.
            total = self.options.moving_average_fraction * self.param_data(i) + value
            self.param_data(i)[:] = total

    def backward(self, top, propagate_down, bottom):
        if not propagate_down[0]:
            return
        dy, y, s = top[0].diff, self.y, self.deviation
        # As if m and v were fixed numbers.
        direct = dy / s
        # Every x moves the mean, and the mean moves every y: one number a channel, (1, C, 1, 1).
        through_mean = -dy.mean(axis=CHANNEL, keepdims=True) / s
        # Every x moves the variance, and the variance moves every y: in proportion to y.
        through_variance = -y * (dy * y).mean(axis=CHANNEL, keepdims=True) / s
        bottom[0].diff[:] = direct + through_mean + through_variance
