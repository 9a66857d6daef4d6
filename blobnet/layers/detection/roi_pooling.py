"""Maxima inside of boxes."""

from __future__ import annotations

import numpy as np

from blobnet.core.registry import register
from blobnet.errors import NetError
from blobnet.layers.detection._box_pooling import BoxPooling, edges, rounded, within
from blobnet.ops.regions import RegionMax

MOST = 1024  # bins along an axis; each takes a step of a loop


@register
class ROIPooling(BoxPooling):
    """Divide each box into a grid of bins, whatever its size, and take the maximum of each bin in each channel.

    y[r, c, p, q] = max of x[i, c, h, w] over the bin's h, w, or 0 if it has none;   dx = sum of dy whose maximum it is
    The box [i, x1, y1, x2, y2] of an image covers the columns X1 ... X2 of the map, with X = round(scale * x); at
    least one, X1. Bin q begins at X1 + floor(q B / Q) and ends before X1 + ceil((q + 1) B / Q), B = X2 - X1 + 1.
    Rows likewise. What lies outside of the map is left out.

    Bottoms: x (N, C, H, W); boxes (R, 5) or (R, 5, 1, 1)
    Tops: y (R, C, P, Q)
    Params: none
    Options: roi_pooling_param.pooled_h P, pooled_w Q; spatial_scale (1), columns of the map for a pixel of the image;
    pooled_size is accepted, without effect
    Paper: Girshick, Fast R-CNN, ICCV 2015.
    Quirks: halves are rounded away from 0 (caffe-windows: up). B / Q is rounded to float32 before it is multiplied.
    Bins may overlap by a row or column. The first of equal maxima takes the gradient. Boxes get no gradient: 0.
    """

    options_field = "roi_pooling_param"

    def setup(self, bottom, top):
        self.grid = self.options.pooled_h, self.options.pooled_w
        if not 0 < min(self.grid) <= max(self.grid) <= MOST:
            raise NetError(self.where, expected=f"pooled_h and pooled_w from 1 to {MOST}", got=self.grid)

    def reshape(self, bottom, top):
        super().reshape(bottom, top)
        top[0].reshape((bottom[1].shape[0], bottom[0].shape[1], *self.grid))

    def formula(self, x, boxes):
        y = np.zeros((len(boxes), x.shape[1], *self.grid))
        for r, (image, *corners) in enumerate(boxes.reshape(-1, 5)):
            scaled = self.options.spatial_scale * np.array(corners)
            X1, Y1, X2, Y2 = (int(np.sign(v) * np.floor(abs(v) + 0.5)) for v in scaled)
            B, A = max(X2 - X1 + 1, 1), max(Y2 - Y1 + 1, 1)
            for p, q in np.ndindex(*self.grid):
                rows = slice(max(Y1 + p * A // self.grid[0], 0), max(Y1 - (-(p + 1) * A // self.grid[0]), 0))
                columns = slice(max(X1 + q * B // self.grid[1], 0), max(X1 - (-(q + 1) * B // self.grid[1]), 0))
                inside = x[int(image), :, rows, columns].reshape(x.shape[1], -1)
                y[r, :, p, q] = inside.max(1) if inside.size else 0
        return y

    def forward(self, bottom, top):
        images, corners = self.boxes(bottom)
        corners = rounded(corners * corners.dtype.type(self.options.spatial_scale))
        extents = np.maximum(corners[:, 2:] - corners[:, :2] + 1, 1)
        rows, columns = (within(corners[:, [k], None] + edges(extents[:, [k]] / extents.dtype.type(bins), bins), size)
                         for k, bins, size in zip((1, 0), self.grid, bottom[0].shape[2:]))
        self.bins = RegionMax(images, rows, columns)
        self.bins.forward(bottom[0].data, top[0].data)

    def backward(self, top, propagate_down, bottom):
        self.no_gradient_of_boxes(propagate_down, bottom)
        if propagate_down[0]:
            self.bins.backward(top[0].diff, bottom[0].diff)
