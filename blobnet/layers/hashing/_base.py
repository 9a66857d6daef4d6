"""What losses of codes share: the codes as rows, the classes of the rows, the margin of deep supervised hashing."""

from __future__ import annotations

import math
import warnings

from blobnet.backend import folded
from blobnet.core.layer_type import Arity
from blobnet.core.loss_layer import LossLayer
from blobnet.errors import ShapeError
from blobnet.ops.indices import class_numbers


class CodeLoss(LossLayer):
    """A loss of a batch of codes, read as (N, K): `self.codes(array)`."""

    num_bottoms: Arity = 1
    unforced_bottoms: tuple[int, ...] = ()

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
