"""What the losses of a softmax share: the cost of every label, and the slopes of the costs."""

from __future__ import annotations

from blobnet.layers.loss._base import LabelLoss
from blobnet.ops.softmax import label_costs, softmax, softmax_slopes


class SoftmaxLoss(LabelLoss):
    """A loss over softmax(x) along softmax_param.axis; further tops have the shapes of the bottoms."""

    def reshape(self, bottom, top):
        super().reshape(bottom, top)
        self.group(bottom, self.param.softmax_param.axis)
        self.probability = self.xp.empty(self.grouped, self.dtype)
        for blob, like in zip(top[1:], bottom):
            blob.reshape(like.shape)

    def read(self, bottom) -> None:
        """Let `probability`, `labels` and `counted` be those of the bottoms."""
        softmax(bottom[0].data.reshape(self.grouped), self.probability)
        self.labels, self.counted = self.read_labels(bottom[1])

    def costs(self, bottom):
        """-log p of every label, (outer, inner), also of those that do not count; `labels` and `counted` are read."""
        self.read(bottom)
        return self.label_costs()

    def label_costs(self):
        """The same, of the last forward."""
        return label_costs(self.probability, self.labels)

    def write_slopes(self, dx, factor: float) -> None:
        """dx = factor * (p - [class is label]), the derivative of the costs of all labels."""
        softmax_slopes(self.probability, self.labels, factor, dx)
