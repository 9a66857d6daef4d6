"""Spatial pyramid pooling."""

from __future__ import annotations

from itertools import accumulate, pairwise
from math import prod

import numpy as np

from blobnet.core.context import TRAIN
from blobnet.core.layer import Layer
from blobnet.core.registry import register
from blobnet.errors import NetError, ShapeError
from blobnet.layers.pooling._base import make_pool, of_window, window_axes


@register
class SPP(Layer):
    """Pool planes of any size over grids of 1 x 1, 2 x 2, 4 x 4 ... windows, into rows of one length.

    y[n] = [pool_0(x[n]), pool_1(x[n]), ...],   dx = sum of what comes back through the grids
    Grid l has B = 2 ** l windows along each axis, R = H / B rows high, rounded up, and as far apart; the rows that are
    missing, B R - H, are padding: half of them, rounded up, on each side.

    Bottoms: x (N, C, H, W)
    Tops: y (N, C * (1 + 4 + 16 + ...)), grid after grid, each in the order C, row, column; of one grid (N, C, 1, 1)
    Params: none
    Options: pyramid_height L, the number of grids; pool (MAX; AVE, STOCHASTIC as in Pooling); engine is accepted,
    without effect
    Paper: He et al., Spatial pyramid pooling in deep convolutional networks for visual recognition, ECCV 2014.
    Quirks: the padding must be below the kernel, which refuses small planes (a 4 x 4 grid takes
    4 rows, and 6 or more, but not 5); STOCHASTIC takes none. AVE counts the padding, as Pooling does. A pyramid of one
    grid keeps four axes.
    """

    options_field = "spp_param"

    def setup(self, bottom, top):
        options = self.options
        if not options.pyramid_height:
            raise NetError(self.where, expected="pyramid_height above 0", got=options.pyramid_height)
        self.method = {options.MAX: "MAX", options.AVE: "AVE", options.STOCHASTIC: "STOCHASTIC"}[options.pool]

    def reshape(self, bottom, top):
        shape = bottom[0].shape
        if len(shape) != 4 or not all(shape[2:]):
            raise ShapeError(self.where, expected="4 axes (N, C, H, W) with H and W above 0", got=shape)
        height, train = self.options.pyramid_height, self.phase == TRAIN
        self.grids = [self._grid(shape, 2 ** level) for level in range(height)]
        self.windows = [make_pool(self.method, train, self.xp, self.dtype, *shape[:2], axes) for axes in self.grids]
        self.pooled = [self.xp.empty((*shape[:2], *(axis.out for axis in axes)), self.dtype) for axes in self.grids]
        self.term = self.xp.empty(shape, self.dtype) if height > 1 else None
        edges = [0, *accumulate(prod(pooled.shape[1:]) for pooled in self.pooled)]
        self.spans = [slice(a, b) for a, b in pairwise(edges)]
        self.rows = shape[0], edges[-1]
        top[0].reshape(self.rows if height > 1 else self.pooled[0].shape)

    def _grid(self, shape, bins):
        """The windows of a grid of bins x bins."""
        kernel = [-(-size // bins) for size in shape[2:]]
        pad = [(k * bins - size + 1) // 2 for k, size in zip(kernel, shape[2:])]
        if any(p >= k for p, k in zip(pad, kernel)):
            raise ShapeError(self.where, f"a grid of {bins} x {bins}", got=f"kernel {kernel}, pad {pad} for {shape}",
                             expected="padding below the kernel", hint="lower pyramid_height, or give larger planes")
        if any(pad) and self.method == "STOCHASTIC":
            raise ShapeError(self.where, f"a grid of {bins} x {bins} with pool: STOCHASTIC", got=shape,
                             expected=f"H and W that {bins} divides", hint="STOCHASTIC takes no padding")
        return window_axes(shape[2:], kernel, kernel, pad)

    def formula(self, x):
        if self.method == "STOCHASTIC" and self.phase == TRAIN:
            return None  # drawn
        grids, size = [], np.array(x.shape[2:])
        for bins in 2 ** np.arange(self.options.pyramid_height):
            kernel = -(-size // bins)
            pad, pooled = (kernel * bins - size + 1) // 2, np.empty((*x.shape[:2], bins, bins))
            for p in np.ndindex(bins, bins):
                start = p * kernel - pad
                rows, columns = map(slice, np.maximum(start, 0), start + kernel)
                window = x[..., rows, columns].reshape(*x.shape[:2], -1)
                pooled[(..., *p)] = of_window(self.method, window, kernel.prod())
            grids.append(pooled.reshape(len(x), -1))
        return np.concatenate(grids, axis=1)

    def forward(self, bottom, top):
        random = self.random() if self.method == "STOCHASTIC" and self.phase == TRAIN else None
        rows = top[0].data.reshape(self.rows)
        for windows, pooled, span in zip(self.windows, self.pooled, self.spans):
            if random is not None:
                windows.draw(random)
            windows.forward(bottom[0].data, pooled)
            rows[:, span] = pooled.reshape(rows[:, span].shape)

    def backward(self, top, propagate_down, bottom):
        if not propagate_down[0]:
            return
        rows, x_diff = top[0].diff.reshape(self.rows), bottom[0].diff
        for i, (windows, pooled, span) in enumerate(zip(self.windows, self.pooled, self.spans)):
            dx = self.term if i else x_diff
            windows.backward(rows[:, span].reshape(pooled.shape), dx)
            if i:
                x_diff += dx
