"""What the smooth L1 losses share: their blobs, the cost of a difference and its slope."""

from __future__ import annotations

from collections.abc import Sequence

from blobnet.backend import Array
from blobnet.core.blob import Blob
from blobnet.core.loss_layer import LossLayer
from blobnet.errors import ShapeError


class SmoothL1(LossLayer):
    """A loss of differences a - b, for which forward leaves `slopes`, what a gains and b loses for a weight of 1.

    No top has a loss weight of its own accord. Bottoms from the third on are weights, and get no gradient.
    """

    default_loss_weight = False

    def reshape(self, bottom, top):
        super().reshape(bottom, top)
        shapes = [four_axes(blob) for blob in bottom]
        for i, shape in enumerate(shapes):
            if shape != shapes[0]:
                raise ShapeError(self.where, f"bottom {i} {self.param.bottom[i]!r}", got=bottom[i].shape,
                                 expected=f"the shape of bottom 0, {bottom[0].shape}")

    def weighted(self, bottom: Sequence[Blob]) -> Array:
        """a - b, times the third bottom if there is one."""
        difference = bottom[0].data - bottom[1].data.reshape(bottom[0].shape)
        for blob in bottom[2:3]:
            difference *= blob.data.reshape(difference.shape)
        return difference

    def costs(self, difference: Array, bend: float) -> tuple[Array, Array]:
        """The cost x^2 / (2 bend) of every number where |x| < bend, |x| - bend / 2 elsewhere; and its derivative."""
        size = self.xp.abs(difference)
        inner = self.xp.minimum(size, bend)
        size -= inner
        size += inner * inner / (2 * bend)
        return size, self.xp.clip(difference, -bend, bend) / bend

    def backward(self, top, propagate_down, bottom):
        for sign, wanted, blob in zip((1, -1), propagate_down, bottom):
            if wanted:
                factor = sign * self.weight(top) / self.divisor
                self.xp.multiply(self.slopes.reshape(blob.shape), factor, out=blob.diff)
        for wanted, blob in zip(propagate_down[2:], bottom[2:]):
            if wanted:
                blob.diff.fill(0)


def four_axes(blob: Blob) -> tuple[int, ...]:
    """The shape of a blob, with axes of size 1 at the end until it has four."""
    return blob.shape + (1,) * (4 - len(blob.shape))
