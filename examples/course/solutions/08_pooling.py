"""Solution of the exercise to lesson 08: the largest number of every window."""

import numpy as np

from blobnet import Layer, register
from blobnet.check.exercise import Exercise

EXERCISE = Exercise(
    layer="""layer { name: "pool" type: "MyPooling" bottom: "x" top: "y"
        pooling_param { pool: MAX kernel_size: 3 stride: 2 } }""",
    bottoms=[(2, 2, 5, 6)], same_as="Pooling")


@register
class MyPooling(Layer):
    """Reduce every window of every channel to its largest number.

    y[n, c, p, q] = max of x[n, c, h, w] over the window's h, w;   dx[n, c, h, w] = sum of the dy whose maximum it is
    The window of p has `kernel` rows from p * stride on, less those outside x.
    P = (H - kernel) / stride + 1, rounded up

    Bottoms: x (N, C, H, W)    Tops: y (N, C, P, Q)    Params: none
    Options: pooling_param.kernel_size, stride (1)
    Paper: Ranzato et al., Unsupervised learning of invariant feature hierarchies, CVPR 2007.
    Quirks: of equal numbers the first one takes the whole gradient. No padding; runs on the CPU only.
    """

    options_field = "pooling_param"

    def reshape(self, bottom, top):
        kernel, stride = self.options.kernel_size, self.options.stride
        counts = [-(-(size - kernel) // stride) + 1 for size in bottom[0].shape[2:]]  # -(-a // b) rounds up
        top[0].reshape((*bottom[0].shape[:2], *counts))

    def window(self, planes, p, q):
        """The part of `planes` (N, C, H, W) under the window p, q; no copy: what is added to it is added there."""
        kernel, stride = self.options.kernel_size, self.options.stride
        return planes[:, :, p * stride:p * stride + kernel, q * stride:q * stride + kernel]

    def forward(self, bottom, top):
        num, channels, *counts = top[0].shape
        self.winners = np.empty(top[0].shape, int)
        for p, q in np.ndindex(*counts):
            values = self.window(bottom[0].data, p, q).reshape(num, channels, -1)
            # (N, C): the largest of the values.
            y = values.max(axis=2)
            # (N, C): the number of its place among the values; of equal ones the first place.
            winner = values.argmax(axis=2)
            top[0].data[:, :, p, q] = y
            self.winners[:, :, p, q] = winner

    def backward(self, top, propagate_down, bottom):
        if not propagate_down[0]:
            return
        bottom[0].diff[:] = 0
        for p, q in np.ndindex(*top[0].shape[2:]):
            share = self.window(bottom[0].diff, p, q)
            dy, winner = top[0].diff[:, :, p, q], self.winners[:, :, p, q]
            # (N, C, number of places): True at the winner's place, False at all others. np.arange helps.
            won = np.arange(share[0, 0].size) == winner[:, :, None]
            # The same shape: what this window gives to each of its places.
            gradient = won * dy[:, :, None]
            share += gradient.reshape(share.shape)
