"""What losses over the distances of samples to classes share: labels, tops, places of a sample's own class."""

from __future__ import annotations

import math

from blobnet.errors import ShapeError
from blobnet.layers.loss._base import LabelLoss


class ClassDistanceLoss(LabelLoss):
    """A loss over distances (N, K) and one label a row; a second top reports mean distances."""

    ignores = False
    published_gradient = True
    num_tops = (1, 2)

    def reshape(self, bottom, top):
        self.check_rows(bottom)
        if not bottom[0].count:
            raise ShapeError(self.where, expected="distances (N, K), N and K at least 1", got=bottom[0].shape)
        self.group_rows(bottom)
        self.rows = self.grouped[:2]  # (N, K)
        top[0].reshape(())
        for blob in top[1:]:
            blob.reshape((self.reported(),))

    def reported(self) -> int:
        """How many numbers the second top has."""
        return 2

    def read(self, bottom):
        """Distances (N, K), those to the own class (N,), and where (N, K) the class is the sample's own."""
        distances = bottom[0].data.reshape(self.rows)
        labels, _ = self.read_labels(bottom[1])
        own = self.xp.arange(self.rows[1]) == labels
        return distances, self.xp.take_along_axis(distances, labels, axis=1)[:, 0], own

    def report(self, top, near, far, *more) -> None:
        """Write the means of two sums into the second top: one number a sample of `near`, all but one of `far`."""
        n, k = self.rows
        for blob in top[1:]:
            values = [near / n, far / n / (k - 1) if k > 1 else math.nan, *more]
            for i, value in enumerate(values):
                blob.data[i] = value
