"""BatchNorm with the Scale, and the ReLU, that work in place on its top, computed together."""

from __future__ import annotations

from collections.abc import Sequence

from blobnet.core.joined import RECTIFIER, SCALE, Joined
from blobnet.core.layer import Layer
from blobnet.ops.standardize import Tail, tail_backward


class JoinedBatchNorm(Joined):
    """y = max(0, factor * (x - mean) / deviation + bias), channels by channels, and its gradient."""

    def __init__(self, norm, scale, rectifies: bool, learns: bool):
        self.norm, self.scale, self.rectifies, self.learns = norm, scale, rectifies, learns
        self.followers = 1 + rectifies

    @classmethod
    def of(cls, norm, followers: Sequence[Layer], learns: bool) -> JoinedBatchNorm | None:
        """For those of the `followers` that can be; None if there are none."""
        links = [layer.link() for layer in followers]
        return cls(norm, followers[0], links[1:2] == [RECTIFIER], learns) if links[:1] == [SCALE] else None

    def forward(self, bottom, top):
        if not self.norm.use_global:
            self.scale.kept = self.norm.normalized  # they are the same numbers
        self.norm.forward_with(bottom, self._tail(top), self.scale.kept if self.learns else None)

    def backward(self, top, propagate_down, bottom):
        dy, dx = (blob.diff.reshape(self.norm.grouped) for blob in (top[0], bottom[0]))
        tail_backward(self.scale.kept, self._tail(top), dy, self.norm.deviation, dx, self.norm.use_global,
                      self.scale.gradients())

    def _tail(self, top) -> Tail:
        factor, bias = [*(blob.data.reshape(-1) for blob in self.scale.blobs), None][:2]
        return Tail(top[0].data.reshape(self.norm.grouped), factor, bias, self.rectifies)
