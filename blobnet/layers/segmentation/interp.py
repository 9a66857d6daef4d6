"""Interp: bilinear resizing."""

from __future__ import annotations

import numpy as np

from blobnet.core.layer import Layer
from blobnet.core.registry import register
from blobnet.errors import NetError, ShapeError
from blobnet.ops.average_pool import average_pool


@register
class Interp(Layer):
    """Resize planes by bilinear interpolation; the outermost places of x and y are the same.

    y[n, c, p, q] = sum over h, w of A[p, h] B[q, w] x[n, c, h, w],   dx = sum over p, q of A[p, h] B[q, w] dy
    A[p, h] = max(0, 1 - |h + pad_beg - a|),   a = p * (H' - 1) / (P - 1),   H' = H + pad_beg + pad_end; B likewise

    Bottoms: x (N, C, H, W)[, r (N, C, P, Q): its size is taken if the options give none]
    Tops: y (N, C, P, Q)
    Params: none
    Options: the first of these that is given: use_blob_size true, P and Q as r has them; shrink_factor s alone,
    P = (H' - 1) / s + 1, rounded down; zoom_factor z alone, P = H' + (H' - 1) (z - 1); height P and width Q; both
    factors, first s, then z. pad_beg, pad_end (0; at most 0): so many rows and columns of x are cut off before and
    after
    Paper: Zhao et al., Pyramid scene parsing network, CVPR 2017; the layer: Chen et al., Semantic image segmentation
    with deep convolutional nets and fully connected CRFs, ICLR 2015.
    Quirks: a has the precision of float32 in every net. If P is 1, a is 0: y has the first row. A second bottom is
    DeepLab's; the layer of PSPNet has one.
    """

    options_field = "interp_param"
    num_bottoms = (1, 2)
    size_bottoms = (1,)

    def setup(self, bottom, top):
        options = self.options
        if max(options.pad_beg, options.pad_end) > 0:
            raise NetError(self.where, expected="pad_beg and pad_end at most 0 (rows that are cut off)",
                           got=f"{options.pad_beg} and {options.pad_end}")
        if min(options.shrink_factor, options.zoom_factor) < 1:
            raise NetError(self.where, expected="shrink_factor and zoom_factor at least 1",
                           got=f"{options.shrink_factor} and {options.zoom_factor}")

    def reshape(self, bottom, top):
        shape, begin = bottom[0].shape, -self.options.pad_beg
        if self.options.use_blob_size and len(bottom) == 1:
            raise NetError(self.where, expected="a second bottom, as use_blob_size is true", got="1 bottom")
        if any(blob.num_axes != 4 for blob in bottom):
            raise ShapeError(self.where, expected="axes (N, C, H, W)", got=" and ".join(str(b.shape) for b in bottom))
        inner = [size + self.options.pad_beg + self.options.pad_end for size in shape[2:]]
        sizes = self.sizes(inner, bottom)
        if min(inner) < 1 or min(sizes) < 1:
            raise ShapeError(self.where, expected="a plane that is not empty", got=f"{tuple(inner)}, to be made "
                             f"{tuple(sizes)}, of {shape}")
        matrices = [interpolation(*pair, size, begin) for pair, size in zip(zip(sizes, inner), shape[2:])]
        self.matrices = [self.xp.asarray(matrix, self.dtype) for matrix in matrices]
        top[0].reshape((*shape[:2], *sizes))

    def sizes(self, inner, bottom):
        """P and Q for what is left of x, H' and W'."""
        options = self.options
        if options.use_blob_size and len(bottom) == 2:
            return bottom[1].shape[2:]
        shrinks, zooms = options.HasField("shrink_factor"), options.HasField("zoom_factor")
        if shrinks == zooms and options.HasField("height") and options.HasField("width"):
            return [options.height, options.width]
        if not shrinks and not zooms:
            if len(bottom) == 2:
                return bottom[1].shape[2:]
            raise NetError(self.where, expected="height and width, zoom_factor or shrink_factor", got="none of them")
        return [((size - 1) // options.shrink_factor) * options.zoom_factor + 1 for size in inner]

    def formula(self, x, *_):
        cut, end = -self.options.pad_beg, -self.options.pad_end
        x = x[..., cut:x.shape[2] - end, cut:x.shape[3] - end]
        for axis, size in ((2, self.matrices[0].shape[0]), (3, self.matrices[1].shape[0])):
            step = np.float32(x.shape[axis] - 1) / np.float32(size - 1) if size > 1 else np.float32(0)
            place = step * np.arange(size, dtype=np.float32)
            low = place.astype(int)
            high, part = np.minimum(low + 1, x.shape[axis] - 1), np.float64(place) - low
            part = part.reshape(-1, *[1] * (3 - axis))
            x = (1 - part) * x.take(low, axis) + part * x.take(high, axis)
        return x

    def forward(self, bottom, top):
        average_pool(bottom[0].data, self.matrices, top[0].data)

    def backward(self, top, propagate_down, bottom):
        if propagate_down[0]:
            average_pool(top[0].diff, [matrix.T for matrix in self.matrices], bottom[0].diff)
        if any(propagate_down[1:]):
            bottom[1].diff.fill(0)


def interpolation(out: int, inner: int, size: int, begin: int) -> np.ndarray:
    """The matrix (out, size) that resizes `inner` places of `size`, from place `begin` on, to `out` places."""
    step = np.float32(inner - 1) / np.float32(out - 1) if out > 1 else np.float32(0)
    place = step * np.arange(out, dtype=np.float32)
    low = place.astype(np.int64)
    matrix = np.zeros((out, size))
    np.add.at(matrix, (np.arange(out), begin + low), 1 - (place - low))
    np.add.at(matrix, (np.arange(out), begin + np.minimum(low + 1, inner - 1)), place - low)
    return matrix
