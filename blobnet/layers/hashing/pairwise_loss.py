"""The pairwise likelihood of deep hashing networks."""

from __future__ import annotations

from blobnet.core.registry import register
from blobnet.errors import ShapeError
from blobnet.layers.hashing._base import CodeLoss
from blobnet.ops.pairs import similar
from blobnet.ops.sigmoid import sigmoid


@register
class PairwiseLoss(CodeLoss):
    """The inner product of two codes should tell whether the images are similar.

    t_ij = alpha <u_i, u_j>, over the pairs S, i < j, of the batch;   s_ij = 1 if i and j share a label, else 0

    loss = 1/|S| * sum_S w_ij (log(1 + exp(t_ij)) - s_ij t_ij)

    du_i = weight * alpha/|S| * sum_j w_ij (1/(1 + exp(-t_ij)) - s_ij) u_j

    w_ij = class_num if s_ij, else 1;   weighted: c_ij |S|/|S1| times that if s_ij, else |S|/|S0|, with the |S1| similar
    and |S0| other pairs of the batch, and c_ij = labels in common / labels of either

    Bottoms: codes u (N, K); labels (N,), one class a row, or (N, L) with L > 1, one 0/1 column a label
    Tops: loss ()
    Params: none
    Options: pairwise_param.sigmoid_param alpha (1); class_num (1); weighted (false)
    Paper: Zhu et al., Deep Hashing Network for Efficient Similarity Retrieval, AAAI 2016: unweighted; Cao et al.,
    HashNet: Deep Learning to Hash by Continuation, ICCV 2017, section 3.1: weighted. Written from the papers, and not
    compared with the figures of the authors' program.
    Quirks: the papers have the sum, here it is the mean over the pairs, 0 without any. One class a row is truncated to
    integers.
    """

    options_field = "pairwise_param"
    num_bottoms = 2
    unforced_bottoms = (1,)

    def reshape(self, bottom, top):
        super().reshape(bottom, top)
        self.check_rows(bottom)
        if not self.rows[0]:
            raise ShapeError(self.where, expected="a batch of at least 1", got=bottom[0].shape)

    def forward(self, bottom, top):
        xp, n = self.xp, self.rows[0]
        u, labels = self.codes(bottom[0].data), bottom[1].data.reshape(n, -1)
        alike = similar(labels)
        t = self.options.sigmoid_param * (u @ u.T)
        costs = xp.maximum(t, 0) - t * alike + xp.log1p(xp.exp(-xp.abs(t)))
        weights = self._weights(alike, labels)
        top[0].data[...] = (weights * costs).sum() / max(1, n * (n - 1))  # every pair is there twice
        self.slopes = xp.empty_like(t)
        sigmoid(t, self.slopes)
        self.slopes -= alike
        self.slopes *= weights

    def _weights(self, alike, labels):
        """w_ij, and 0 for an image with itself."""
        xp, options, apart = self.xp, self.options, ~self.xp.eye(len(alike), dtype=bool)
        weights = xp.where(alike, options.class_num, 1.0)
        if options.weighted:
            if labels.shape[1] > 1:
                common, sizes = labels @ labels.T, labels.sum(axis=1)
                weights *= xp.where(alike, common / xp.maximum(sizes[:, None] + sizes - common, 1), 1)
            pairs, positive = apart.sum(), (alike & apart).sum()
            weights *= xp.where(alike, pairs / xp.maximum(positive, 1), pairs / xp.maximum(pairs - positive, 1))
        return (weights * apart).astype(self.dtype)

    def backward(self, top, propagate_down, bottom):
        self.refuse_targets(propagate_down)
        if propagate_down[0]:
            n = self.rows[0]
            scale = self.weight(top) * self.options.sigmoid_param * 2 / max(1, n * (n - 1))
            self.codes(bottom[0].diff)[...] = self.slopes @ self.codes(bottom[0].data) * scale
