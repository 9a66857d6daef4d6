"""What the similarity layers share: two batches of vectors, and one number for each pair of rows."""

from __future__ import annotations

from blobnet.core.layer import Layer
from blobnet.errors import ShapeError


class Similarity(Layer):
    """y_n = f(a_n, b_n), with y of shape (N, 1, 1, 1)."""

    num_bottoms = 2

    def reshape(self, bottom, top):
        if not bottom[0].shape or bottom[0].shape[:1] != bottom[1].shape[:1] or bottom[0].count != bottom[1].count:
            raise ShapeError(self.where, expected="two bottoms (N, ...) with as many elements a row",
                             got=f"{bottom[0].shape} and {bottom[1].shape}")
        top[0].reshape((bottom[0].num, 1, 1, 1))

    def rows(self, array):
        """`array` as (N, elements a row)."""
        return array.reshape(array.shape[0], -1) if array.size else array.reshape(array.shape[0], 0)
