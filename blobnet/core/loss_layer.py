"""LossLayer: the base class of losses."""

from __future__ import annotations

from collections.abc import Sequence

from blobnet.core.blob import Blob
from blobnet.core.layer import Layer
from blobnet.core.layer_type import Arity
from blobnet.core.terms import Factor, Place
from blobnet.errors import ShapeError


class LossLayer(Layer):
    """Two bottoms, predictions and targets (or labels), with the same number of rows; one scalar top of weight 1.

    The top's diff holds the loss weight, which backward multiplies into the bottom diffs: `self.weight(top)`.
    """

    num_bottoms: Arity = 2
    num_tops: Arity = 1
    default_loss_weight = True
    automatic_tops = True
    unforced_bottoms: tuple[int, ...] = (1,)

    def reshape(self, bottom, top):
        self.check_rows(bottom)
        top[0].reshape(())

    def check_rows(self, bottom: Sequence[Blob]) -> None:
        """ShapeError unless the first two bottoms have the same number of rows."""
        if bottom[0].shape[:1] != bottom[1].shape[:1]:
            raise ShapeError(self.where, "bottoms of unlike batch size", expected=f"{bottom[0].shape[:1]} rows in both",
                             got=f"{bottom[0].shape} and {bottom[1].shape}")
        if not bottom[0].shape:
            raise ShapeError(self.where, expected="bottoms of at least one axis, the batch", got="() and ()")

    def weight(self, top) -> float:
        """The loss weight, from the diff of the first top."""
        return top[0].diff[()]

    def weight_factor(self, top) -> Factor:
        """The loss weight as a factor of terms."""
        return Factor(float(self.weight(top)), Place("top", 0, "diff", ()), "loss weight")
