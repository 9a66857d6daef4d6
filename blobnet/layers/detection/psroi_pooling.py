"""Means inside of boxes, each bin in channels of its own."""

from __future__ import annotations

import numpy as np

from blobnet.core.registry import register
from blobnet.errors import NetError, ShapeError
from blobnet.layers.detection._box_pooling import BoxPooling, edges, rounded, within
from blobnet.ops.indices import scatter_add


@register
class PSROIPooling(BoxPooling):
    """Divide each box into G x G bins, and take the mean of each bin in the channels that belong to its place.

    y[r, k, p, q] = mean of x[i, (k G + p) G + q, h, w] over the bin's h, w, or 0 if it has none
    dx = sum of dy / (numbers in the bin) of the bins that have it
    The box [i, x1, y1, x2, y2] of an image goes from X1 = scale * round(x1) to X2 = scale * (round(x2) + 1) on the map;
    bin q has the columns from floor(X1 + q B / G) to before ceil(X1 + (q + 1) B / G), with B = X2 - X1, but no less
    than 0.1. Rows likewise. What lies outside of the map is left out.

    Bottoms: x (N, K G G, H, W); boxes (R, 5) or (R, 5, 1, 1)
    Tops: y (R, K, G, G)
    Params: none
    Options: psroi_pooling_param.spatial_scale, columns of the map for a pixel of the image; output_dim K; group_size G;
    all three are required
    Paper: Dai et al., R-FCN: Object Detection via Region-based Fully Convolutional Networks, NIPS 2016.
    Quirks: corners are rounded before they are scaled, halves away from 0; the edges of bins are numbers of the net's
    type, whose rounding may add a row or column to a bin. Means are differences of sums from the corner of the map on,
    in float64: a number that is not finite makes the later bins of its channel nan. Boxes get no gradient: 0.
    """

    options_field = "psroi_pooling_param"

    def setup(self, bottom, top):
        self.classes, self.group = self.options.output_dim, self.options.group_size
        if self.classes < 1 or self.group < 1:
            raise NetError(self.where, expected="output_dim and group_size above 0", got=(self.classes, self.group),
                           hint="write psroi_pooling_param { spatial_scale: 0.0625 output_dim: 21 group_size: 7 }")

    def reshape(self, bottom, top):
        super().reshape(bottom, top)
        channels = self.classes * self.group ** 2
        if bottom[0].shape[1] != channels:
            raise ShapeError(self.where, expected=f"{channels} channels, output_dim {self.classes} * group_size "
                             f"{self.group} ^ 2", got=bottom[0].shape)
        top[0].reshape((bottom[1].shape[0], self.classes, self.group, self.group))

    def formula(self, x, boxes):
        G, scale = self.group, self.options.spatial_scale
        y = np.zeros((len(boxes), self.classes, G, G))
        for r, (image, *corners) in enumerate(boxes.reshape(-1, 5)):
            X1, Y1, X2, Y2 = scale * (np.sign(corners) * np.floor(np.abs(corners) + 0.5) + [0, 0, 1, 1])
            B, A = max(X2 - X1, 0.1), max(Y2 - Y1, 0.1)
            for p, q in np.ndindex(G, G):
                rows = slice(max(int(np.floor(Y1 + p * A / G)), 0), max(int(np.ceil(Y1 + (p + 1) * A / G)), 0))
                columns = slice(max(int(np.floor(X1 + q * B / G)), 0), max(int(np.ceil(X1 + (q + 1) * B / G)), 0))
                inside = x[int(image), p * G + q::G * G, rows, columns].reshape(self.classes, -1)
                y[r, :, p, q] = inside.mean(1) if inside.size else 0
        return y

    def forward(self, bottom, top):
        xp, shape = self.xp, bottom[0].shape
        images, corners = self.boxes(bottom)
        scale = corners.dtype.type(self.options.spatial_scale)
        first, last = rounded(corners[:, :2]) * scale, (rounded(corners[:, 2:]) + 1) * scale
        steps = np.maximum(last - first, corners.dtype.type(0.1)) / corners.dtype.type(self.group)
        rows, columns = (within(edges(steps[:, [k]], self.group, first[:, [k]]), size)
                         for k, size in zip((1, 0), shape[2:]))
        areas = np.diff(rows) * np.diff(columns).swapaxes(1, 2)
        self.shares = xp.asarray((areas > 0) / np.maximum(areas, 1))[:, None]  # (R, 1, G, G)
        height, width = shape[2] + 1, shape[3] + 1
        self.sums_shape = (*shape[:2], height, width)
        planes = images[:, None, None, None] * shape[1] + np.arange(shape[1]).reshape(-1, self.group, self.group)
        rows, columns = planes[..., None] * height + rows[:, None, :, None], columns[:, None, None]
        self.corners = [(sign, xp.asarray(rows[..., i] * width + columns[..., j]))  # of the bins, in the flat sums
                        for i, j, sign in ((1, 1, 1), (0, 1, -1), (1, 0, -1), (0, 0, 1))]
        sums = xp.zeros(self.sums_shape)
        sums[:, :, 1:, 1:] = bottom[0].data.cumsum(2, dtype=xp.float64).cumsum(3)
        total = sum(sign * sums.reshape(-1)[place] for sign, place in self.corners)
        top[0].data[...] = total * self.shares

    def backward(self, top, propagate_down, bottom):
        self.no_gradient_of_boxes(propagate_down, bottom)
        if propagate_down[0]:
            sums = self.xp.zeros(self.sums_shape)
            diff = top[0].diff * self.shares
            for sign, place in self.corners:
                scatter_add(sums.reshape(-1), place.reshape(-1), (sign * diff).reshape(-1))
            bottom[0].diff[...] = sums[:, :, :0:-1, :0:-1].cumsum(2).cumsum(3)[:, :, ::-1, ::-1]
