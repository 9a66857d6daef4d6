"""Shuffled channels."""

from __future__ import annotations

from blobnet.core.moving_layer import MovingLayer
from blobnet.core.registry import register
from blobnet.errors import NetError, ShapeError


@register
class ShuffleChannel(MovingLayer):
    """Take the channels of groups in turn, so that the next grouped convolution sees something of every group.

    y[n, j * G + g] = x[n, g * (C / G) + j],   dx[n, g * (C / G) + j] = dy[n, j * G + g]   for g < G, j < C / G

    Bottoms: x (N, C, H, W), or 2 or 3 axes    Tops: y (N, C, H, W), with axes of size 1 where x has fewer
    Params: none
    Options: group G (1), which divides C
    Paper: Zhang et al., ShuffleNet: An Extremely Efficient Convolutional Neural Network for Mobile Devices, CVPR 2018.
    Quirks: the top always has 4 axes.
    """

    options_field = "shuffle_channel_param"
    passes_labels = True
    key_options = {"group": "group"}

    def reshape(self, bottom, top):
        shape, group = bottom[0].shape, self.options.group
        if not 2 <= len(shape) <= 4:
            raise ShapeError(self.where, expected="2 to 4 axes (N, C, H, W)", got=shape)
        if group < 1 or shape[1] % group:
            raise NetError(self.where, expected=f"group to divide the channels of the bottom ({shape[1]})",
                           got=f"group {group}")
        top[0].reshape((*shape, 1, 1)[:4])
        rows, channels, height, width = top[0].shape
        self.groups = (rows, group, channels // group, height, width)
        self.turns = (rows, channels // group, group, height, width)

    def forward(self, bottom, top):
        top[0].data.reshape(self.turns)[...] = bottom[0].data.reshape(self.groups).swapaxes(1, 2)

    def backward(self, top, propagate_down, bottom):
        if propagate_down[0]:
            bottom[0].diff.reshape(self.groups)[...] = top[0].diff.reshape(self.turns).swapaxes(1, 2)
