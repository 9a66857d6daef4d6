"""Samples of length 1."""

from __future__ import annotations

from blobnet.core.layer import Layer
from blobnet.core.registry import register
from blobnet.errors import ShapeError
from blobnet.ops.elementwise import in_parts


@register
class L2Norm(Layer):
    """Bring every sample to Euclidean length 1.

    y_n = x_n / ||x_n||,   dx_n = (dy_n - y_n (y_n . dy_n)) / ||x_n||

    Bottoms: x (N, ...)    Tops: y (as x; may be x itself)    Params: none
    Paper: none; the similarity-learning fork puts it before dot products, which then are cosines.
    Quirks: a sample of zeros becomes nan, because nothing is added to its length.
    """

    in_place = True

    def reshape(self, bottom, top):
        shape = bottom[0].shape
        if not shape:
            raise ShapeError(self.where, expected="at least 1 axis", got=shape)
        self.rows = shape[0], bottom[0].count // max(1, shape[0])
        self.lengths = self.xp.empty((shape[0], 1), self.dtype)
        top[0].reshape(shape)

    def forward(self, bottom, top):
        def part(x, length, y):
            length[:, 0] = self.xp.sqrt(self.xp.einsum("nk,nk->n", x, x))
            self.xp.divide(x, length, out=y)

        in_parts(part, bottom[0].data.reshape(self.rows), self.lengths, top[0].data.reshape(self.rows))

    def backward(self, top, propagate_down, bottom):
        def part(y, dy, length, dx):
            along = self.xp.einsum("nk,nk->n", y, dy)[:, None]
            self.xp.subtract(dy, y * along, out=dx)
            self.xp.divide(dx, length, out=dx)

        if propagate_down[0]:
            in_parts(part, *(array.reshape(self.rows) for array in (top[0].data, top[0].diff)), self.lengths,
                     bottom[0].diff.reshape(self.rows))
