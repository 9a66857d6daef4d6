"""How often the right one of two is nearer."""

from __future__ import annotations

from blobnet.core.layer import Layer
from blobnet.core.registry import register
from blobnet.errors import ShapeError


@register
class RankAccuracy(Layer):
    """The share of triplets whose positive is more similar to the query than the negative.

    accuracy = (number of n with p_n > q_n) / N

    Bottoms: p similarity of query and positive (N, ...); q of query and negative (as many)
    Tops: accuracy ()
    Params: none
    Paper: none; the similarity-learning fork.
    Quirks: equal similarities count as wrong, and so does nan. Has no backward; force_backward skips it.
    """

    num_bottoms = 2
    unforced_bottoms = (0, 1)

    def reshape(self, bottom, top):
        if bottom[0].count != bottom[1].count:
            raise ShapeError(self.where, expected="as many similarities in both bottoms",
                             got=f"{bottom[0].shape} and {bottom[1].shape}")
        top[0].reshape(())

    def forward(self, bottom, top):
        right = bottom[0].data.reshape(-1) > bottom[1].data.reshape(-1)
        top[0].data[...] = right.sum() / max(1, right.size)
