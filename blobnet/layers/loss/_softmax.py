"""What the losses of a softmax share: the cost of every label, and the slopes of the costs."""

from __future__ import annotations

from blobnet.layers.loss._base import LabelLoss
from blobnet.ops.softmax import softmax


class SoftmaxLoss(LabelLoss):
    """A loss over softmax(x) along softmax_param.axis; further tops have the shapes of the bottoms."""

    def reshape(self, bottom, top):
        super().reshape(bottom, top)
        self.group(bottom, self.param.softmax_param.axis)
        self.probability = self.xp.empty(self.grouped, self.dtype)
        for blob, like in zip(top[1:], bottom):
            blob.reshape(like.shape)

    def costs(self, bottom):
        """-log p of every label, (outer, inner), also of those that do not count; `labels` and `counted` are read."""
        softmax(bottom[0].data.reshape(self.grouped), self.probability)
        self.labels, self.counted = self.read_labels(bottom[1])
        return self.label_costs()

    def label_costs(self):
        """The same, of the last forward."""
        chosen = self.xp.take_along_axis(self.probability, self.labels[:, None, :], axis=1)[:, 0, :]
        return -self.xp.log(self.xp.maximum(chosen, self.xp.finfo("float32").tiny))

    def write_slopes(self, dx, factor: float) -> None:
        """dx = factor * (p - [class is label]), the derivative of the costs of all labels."""
        classes = self.xp.arange(self.grouped[1])[None, :, None]
        self.xp.subtract(self.probability, classes == self.labels[:, None, :], out=dx)
        dx *= factor
