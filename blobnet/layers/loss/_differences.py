"""What losses of the differences of two batches share."""

from __future__ import annotations

import math

from blobnet.core.loss_layer import LossLayer
from blobnet.errors import ShapeError


class DifferenceLoss(LossLayer):
    """A loss of a - b, divided by the number of rows, `batch`, whose gradients by a and b are opposite."""

    unforced_bottoms = ()

    def reshape(self, bottom, top):
        super().reshape(bottom, top)
        rows = [math.prod(blob.shape[1:]) for blob in bottom]
        if rows[0] != rows[1]:
            raise ShapeError(self.where, expected="as many elements a row in both bottoms",
                             got=f"{bottom[0].shape} and {bottom[1].shape}")
        self.batch = max(1, bottom[0].shape[0])

    def subtract(self, bottom):
        """Keep a - b as `difference`, in the shape of a, and return it."""
        self.difference = bottom[0].data - bottom[1].data.reshape(bottom[0].shape)
        return self.difference
