"""What layers of blocks share: rows in M blocks of B elements, and the entropy of a block."""

from __future__ import annotations

import math

from blobnet.errors import ShapeError
from blobnet.layers.hashing._base import CodeLoss


def block_shape(where, shape, size):
    """(N, M, B) for vectors of the given shape (N, M * B, 1, ...) in blocks of B = `size`; ShapeError if it is not."""
    width = math.prod(shape[1:])
    if not shape or size < 2 or width % size:
        raise ShapeError(where, expected=f"rows that block_size {size} divides, block_size 2 or more",
                         got=f"shape {shape}", hint="set block_param.block_size")
    return shape[0], width // size, size


class BlockEntropyLoss(CodeLoss):
    """A loss of the entropy of blocks, in units of the largest possible: `self.blocks(array)` is (N, M, B)."""

    options_field = "block_param"

    def reshape(self, bottom, top):
        super().reshape(bottom, top)
        self.block_shape = block_shape(self.where, bottom[0].shape, self.options.block_size)

    def blocks(self, array):
        return array.reshape(self.block_shape)

    def logarithm(self, p):
        """The logarithm of p to the base B."""
        tiny = self.xp.finfo("float32").tiny
        return self.xp.log(self.xp.maximum(p, tiny)) / math.log(self.block_shape[2])
