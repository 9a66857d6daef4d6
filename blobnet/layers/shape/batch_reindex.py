"""Choosing rows by number."""

from __future__ import annotations

from blobnet.core.moving_layer import MovingLayer
from blobnet.core.registry import register
from blobnet.errors import ShapeError
from blobnet.ops.indices import numbers_below, scatter_add


@register
class BatchReindex(MovingLayer):
    """Pick, order and repeat the rows of a batch.

    y_m = x_(i_m),   dx_n = sum of dy_m over all m with i_m = n

    Bottoms: x (N, ...); indices i (M,), at least 0 and below N    Tops: y (M, ...)    Params: none
    Paper: none.
    Quirks: there is no gradient for the indices.
    """

    num_bottoms = 2
    unforced_bottoms = (1,)

    def reshape(self, bottom, top):
        x, indices = (blob.shape for blob in bottom)
        if not x:
            raise ShapeError(self.where, expected="rows to choose from, shape (N, ...)", got=x)
        if len(indices) != 1:
            raise ShapeError(self.where, expected="indices of one axis (M,)", got=indices)
        top[0].reshape((*indices, *x[1:]))

    def formula(self, x, i):
        return x[i.astype(int)]

    def forward(self, bottom, top):
        self.indices, _ = numbers_below(bottom[1].data, bottom[0].shape[0], self.where, self.param.bottom[1], "indices",
                                        f"they count the rows of {self.param.bottom[0]!r} from 0")
        top[0].data[...] = bottom[0].data[self.indices]

    def backward(self, top, propagate_down, bottom):
        self.refuse_targets(propagate_down)
        if propagate_down[0]:
            bottom[0].diff.fill(0)
            scatter_add(bottom[0].diff, self.indices, top[0].diff)
