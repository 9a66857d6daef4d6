"""What losses over class labels share: which labels count, and what the sum is divided by."""

from __future__ import annotations

import math

from blobnet.core.loss_layer import LossLayer
from blobnet.errors import DataError, ShapeError


class LabelLoss(LossLayer):
    """A loss over scores along an axis and one integer label at every other position.

    `grouped` is the shape (outer, classes, inner) of the scores seen from the axis; labels are (outer, inner).
    """

    def group(self, bottom, axis: int) -> None:
        """Take the shape of the scores apart at `axis`, and check that there is a label for every position."""
        axis = bottom[0].canonical_axis(axis, self.where)
        shape = bottom[0].shape
        self.grouped = outer, classes, inner = math.prod(shape[:axis]), shape[axis], math.prod(shape[axis + 1:])
        if outer * inner != bottom[1].count:
            raise ShapeError(self.where, expected=f"{outer * inner} labels for scores {shape} with classes on axis {axis}",
                             got=f"{bottom[1].count} of shape {bottom[1].shape}",
                             hint="one integer label a position; a one-hot row is no label")

    def read_labels(self, blob):
        """Labels as integers (outer, inner), and where they count; DataError if one is no class."""
        outer, classes, inner = self.grouped
        labels = blob.data.reshape(outer, inner).astype(self.xp.int64)
        loss_param = self.param.loss_param
        counted = labels != loss_param.ignore_label if loss_param.HasField("ignore_label") else self.xp.ones(labels.shape, bool)
        wrong = counted & ((labels < 0) | (labels >= classes))
        if wrong.any():
            raise DataError(self.where, expected=f"labels in 0 ... {classes - 1}", got=int(labels[wrong][0]),
                            hint="num_output must cover all classes, or name an ignore_label")
        return self.xp.where(counted, labels, 0), counted

    def normalizer(self, counted) -> float:
        """What the sum of losses is divided by, by loss_param; never below 1."""
        options = self.param.loss_param
        mode = options.normalization
        if not options.HasField("normalization") and options.HasField("normalize"):
            mode = options.VALID if options.normalize else options.BATCH_SIZE
        outer, _, inner = self.grouped
        if mode == options.VALID:
            divisor = int(counted.sum())
        else:
            divisor = {options.FULL: outer * inner, options.BATCH_SIZE: outer, options.NONE: 1}[mode]
        return max(1.0, float(divisor))
