"""What the similarity layers share, two batches of vectors and one number a pair; what losses of codes share."""

from __future__ import annotations

import math
import warnings

from blobnet.backend import folded
from blobnet.core.layer import Layer
from blobnet.core.loss_layer import LossLayer
from blobnet.errors import ShapeError
from blobnet.ops.indices import class_numbers


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


class CodeLoss(LossLayer):
    """A loss of a batch of codes, read as (N, K): `self.codes(array)`."""

    num_bottoms = 1
    unforced_bottoms = ()

    def reshape(self, bottom, top):
        shape = bottom[0].shape
        if not shape:
            raise ShapeError(self.where, expected="codes (N, ...)", got=shape)
        self.rows = folded(shape, 1)
        top[0].reshape(())

    def codes(self, array):
        """`array`, of the shape of the first bottom, as (N, K)."""
        return array.reshape(self.rows)


class LabeledCodeLoss(CodeLoss):
    """A loss of a batch of codes and their classes, one a row."""

    num_bottoms = 2
    unforced_bottoms = (1,)

    def reshape(self, bottom, top):
        super().reshape(bottom, top)
        if bottom[1].shape[:1] != bottom[0].shape[:1] or bottom[1].count != self.rows[0]:
            raise ShapeError(self.where, f"labels {self.param.bottom[1]!r}", got=bottom[1].shape,
                             expected=f"one class a row, ({self.rows[0]},)")

    def classes(self, bottom):
        """The classes (N,), integers; DataError for what is no whole number."""
        return class_numbers(bottom[1].data, self.where, self.param.bottom[1]).reshape(-1)


class MarginLoss(LossLayer):
    """A loss of codes (N, K) that pushes unlike ones a margin apart, and warns of a margin that is not the paper's."""

    options_field = "hashing_loss_param"

    def setup(self, bottom, top):
        length = math.prod(bottom[0].shape[1:])
        if self.options.bi_margin != 2 * length:
            warnings.warn(f"{self.where}: bi_margin is {self.options.bi_margin:g}; the paper uses twice the code "
                          f"length, {2 * length}", stacklevel=2)


class SpareBottomLoss(CodeLoss):
    """A loss of codes h, published with a second bottom of their shape that it does not read.

    Backward gives the second bottom `spare_sign` times the gradient of the first; with gradient: EXACT it gets 0.
    """

    options_field = "published_gradient_param"
    published_gradient = True
    num_bottoms = 2
    spare_sign = 1

    def reshape(self, bottom, top):
        super().reshape(bottom, top)
        if bottom[1].shape[:1] != bottom[0].shape[:1] or bottom[1].count != bottom[0].count:
            raise ShapeError(self.where, expected="a second bottom of the shape of the first",
                             got=f"{bottom[0].shape} and {bottom[1].shape}", hint="name the first once more")

    def published(self):
        """The published gradient by h: (N, K) or a number, without the loss weight."""
        raise NotImplementedError(f"{type(self).__name__} must define published")

    def exact(self):
        """The derivative by h, likewise."""
        return self.published()

    def backward(self, top, propagate_down, bottom):
        exact = self.options.gradient == self.options.EXACT
        gradient = (self.exact() if exact else self.published()) * self.weight(top)
        for factor, wanted, blob in zip((1, 0 if exact else self.spare_sign), propagate_down, bottom):
            if wanted:
                self.codes(blob.diff)[...] = factor * gradient


class HalfwayLoss(SpareBottomLoss):
    """How far codes in [0, 1] are from 0.5: loss = sign/(2 N K) * sum (h - 0.5)^2, dh = sign/(N K) * (h - 0.5)."""

    sign = 1

    def forward(self, bottom, top):
        self.deviation = self.codes(bottom[0].data) - 0.5
        flat = self.deviation.reshape(-1)
        top[0].data[...] = self.sign * (flat @ flat) / max(1, flat.size) / 2

    def published(self):
        return self.deviation * (self.sign / max(1, self.deviation.size))


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
