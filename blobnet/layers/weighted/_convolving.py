"""What Convolution and its names in forks share: how they compute."""

from __future__ import annotations

from blobnet.layers.weighted._base import SlidingLayer
from blobnet.ops.axes import output_size
from blobnet.ops.convolution import bias_gradient


class ConvolvingLayer(SlidingLayer):
    """A layer that reads its bottom through kernels. A page says what it computes by its formula."""

    def output_sizes(self, spatial):
        return tuple(map(output_size, spatial, *self.sliding))

    def multiply_adds(self, bottom, top):
        return sum(blob.count // self.outputs for blob in top) * self.blobs[0].count  # every weight at every position

    def forward(self, bottom, top):
        for x, y in zip(bottom, top):
            self.plan.forward(x.data.reshape(self.bottom_shape), self.param_data(0), self.bias,
                              y.data.reshape(self.top_shape))

    def backward(self, top, propagate_down, bottom):
        for x, y, wanted in zip(bottom, top, propagate_down):
            dy = y.diff.reshape(self.top_shape)
            if self.learns_bias():
                bias_gradient(dy, self.param_diff(1))
            self.plan.backward(x.data.reshape(self.bottom_shape), dy, self.param_data(0),
                               self.param_diff(0) if self.param_propagate_down[0] else None,
                               x.diff.reshape(self.bottom_shape) if wanted else None)
