"""What losses with targets share: which targets count, and what the sum is divided by."""

from __future__ import annotations

from blobnet.backend import folded
from blobnet.core.loss_layer import LossLayer
from blobnet.errors import ShapeError
from blobnet.ops.indices import numbers_below

LOG_THRESHOLD = 1e-20  # what smaller probabilities count as in a logarithm


class ReportingLoss(LossLayer):
    """A loss whose further tops only report: their weight is 0, and need not be written.

    Unlike a loss with one top, it does not make tops that are not named.
    """

    automatic_tops = False

    def initialize(self, bottom, top):
        weights = list(self.param.loss_weight) or [1.0]
        self.param.loss_weight[:] = weights + [0.0] * (len(top) - len(weights))
        super().initialize(bottom, top)


class TargetLoss(LossLayer):
    """A loss against given targets; `loss_param` says which of them count and what the sum is divided by."""

    ignores = True                   # whether loss_param.ignore_label has an effect
    default_normalization = "VALID"  # a NormalizationMode

    @property
    def ignored(self) -> int | None:
        """The target that does not count, None if all do."""
        options = self.param.loss_param
        return options.ignore_label if self.ignores and options.HasField("ignore_label") else None

    @property
    def normalization(self) -> int:
        """The NormalizationMode."""
        options = self.param.loss_param
        if options.HasField("normalization"):
            return options.normalization
        if options.HasField("normalize"):
            return options.VALID if options.normalize else options.BATCH_SIZE
        return options.NormalizationMode.Value(self.default_normalization)

    def counts(self, targets):
        """Where integer `targets` count: everywhere but at loss_param.ignore_label."""
        return self.xp.ones(targets.shape, bool) if self.ignored is None else targets != self.ignored

    def normalizer(self, counted):
        """What the sum of losses is divided by, by loss_param; never below 1. `counted` (N, ...) says what counts.

        A number, or a scalar of the device where it depends on the targets. Of processes that train together, whose
        losses are averaged, each divides by the mean number of targets that count.
        """
        options, mode, processes = self.param.loss_param, self.normalization, self.context.processes
        if mode == options.VALID and self.ignored is not None:
            count = counted.sum().reshape(1).astype(self.dtype)
            processes.add(count)
            return self.xp.maximum(count, 1)[0] / processes.size
        return max(1.0, float({options.VALID: counted.size, options.FULL: counted.size, options.NONE: 1,
                               options.BATCH_SIZE: len(counted),
                               options.PRE_FIXED: options.pre_fixed_normalizer}[mode]))


class LabelLoss(TargetLoss):
    """A loss over scores along an axis and one integer label at every other position.

    `grouped` is the shape (outer, classes, inner) of the scores seen from the axis; labels are (outer, inner).
    """

    def group(self, bottom, axis: int) -> None:
        """Take the shape of the scores apart at `axis`, and check that there is a label for every position."""
        axis = bottom[0].canonical_axis(axis, self.where)
        shape = bottom[0].shape
        if not shape[axis]:
            raise ShapeError(self.where, expected=f"at least one class on axis {axis}", got=shape)
        self.grouped = folded(shape, axis, axis + 1)
        self._check_count(bottom, f"for scores {shape} with classes on axis {axis}")

    def group_rows(self, bottom) -> None:
        """Take every row of scores, however many axes it has, for the scores of one label."""
        shape = bottom[0].shape
        self.grouped = *folded(shape, 1), 1
        self._check_count(bottom, f"for the rows of scores {shape}")

    def _check_count(self, bottom, what: str) -> None:
        outer, _, inner = self.grouped
        if outer * inner != bottom[1].count:
            raise ShapeError(self.where, expected=f"{outer * inner} labels {what}",
                             got=f"{bottom[1].count} of shape {bottom[1].shape}",
                             hint="one integer label a position; a one-hot row is no label")

    def read_labels(self, blob):
        """Labels as integers (outer, inner), 0 where they do not count, and where they do.

        DataError for a label that is not a whole number, or that counts and is not the number of a class.
        """
        outer, classes, inner = self.grouped
        hint = "num_output must cover all classes" + ", or name an ignore_label" * self.ignores
        labels, counted = numbers_below(blob.data, classes, self.where, self.param.bottom[1], hint=hint,
                                        ignored=self.ignored)
        return labels.reshape(outer, inner), counted.reshape(outer, inner)
