"""LossLayer: the base class of losses."""

from __future__ import annotations

from collections.abc import Sequence

from blobnet.core.layer import Layer
from blobnet.errors import NetError, ShapeError


class LossLayer(Layer):
    """Two bottoms, predictions and targets (or labels), of as many rows; one scalar top of weight 1.

    The top's diff holds the loss weight, which backward multiplies into the bottom diffs: `self.weight(top)`.
    """

    num_bottoms = 2
    num_tops = 1
    default_loss_weight = True
    automatic_tops = True
    unforced_bottoms = (1,)

    def reshape(self, bottom, top):
        if bottom[0].shape[:1] != bottom[1].shape[:1]:
            raise ShapeError(self.where, "bottoms of unlike batch size", expected=f"{bottom[0].shape[:1]} rows in both",
                             got=f"{bottom[0].shape} and {bottom[1].shape}")
        if not bottom[0].shape:
            raise ShapeError(self.where, expected="bottoms of at least one axis, the batch", got="() and ()")
        top[0].reshape(())

    def weight(self, top) -> float:
        """The loss weight, from the diff of the first top."""
        return top[0].diff[()]

    def refuse_targets(self, propagate_down: Sequence[bool]) -> None:
        """NetError if a bottom that holds labels or targets is asked for its gradient."""
        targets = self.unforced_bottoms
        for i in targets:
            if any(propagate_down[i:i + 1]):
                wishes = " ".join(f"propagate_down: {str(j not in targets).lower()}"
                                  for j in range(len(propagate_down)))
                raise NetError(self.where, f"has no gradient for bottom {i} {self.param.bottom[i]!r}, which is made by "
                               "a layer that learns", hint=f"write {wishes}, if it needs none")
