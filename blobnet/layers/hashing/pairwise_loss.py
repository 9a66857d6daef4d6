"""The pairwise likelihood of deep hashing networks."""

from __future__ import annotations

import numpy as np

from blobnet.core.registry import register
from blobnet.errors import NetError, ShapeError
from blobnet.layers.hashing._likelihood_terms import likelihood_terms
from blobnet.layers.hashing._pairs import PairLikelihood
from blobnet.ops.linear import matrix_product
from blobnet.ops.pairs import label_pairs
from blobnet.ops.quantization import binary_costs, log_cosh_slopes


@register
class PairwiseLoss(PairLikelihood):
    """The inner product of two codes should tell whether the images are similar.

    t_ij = alpha <u_i, v_j>;   s_ij = 1 if c_ij > 0, else 0, with c_ij = <a_i, b_j>, the labels in common

    w_ij = class_num if s_ij, else 1; 0 if c_ij < 0 or c_ij >= L, as with unknown labels;   W = sum_ij w_ij

    loss = 1/W * sum_ij w_ij (log(1 + exp(t_ij)) - s_ij t_ij) + Q,   du_i = 2 l/W * sum_j w_ij r_ij e_ij v_j + dQ_i

    e_ij = 1/(1 + exp(-t_ij)) - s_ij;   where t_ij >= l_threshold >= 0 the cost is (1 - s_ij) t_ij, but e_ij stays

    r_ij = 1, or with continous_similarity 4 c_ij^2/(|a_i|^2 |b_j|^2), 1 where that is 0

    Two bottoms (DHN): v = u, b = a, pairs with i = j count, and Q is QuantizationLoss with q_threshold,
    dQ = q/N * tanh(|u| - 1) sign(u). Four (HashNet): Q = 0, and the gradient of v is alike, sum_i w_ij r_ij e_ij u_i.

    Bottoms: codes u (N, K); labels a (N, L), L > 1, one 0/1 column a label; or u, a, codes v (N, K), labels b (N, L)
    Tops: loss ()
    Params: none
    Options: pairwise_param.l_lambda l (1), q_gamma q (1), l_threshold (-1), q_threshold (-1), class_num (1),
    sigmoid_param alpha (1), continous_similarity (false); gradient; axis (1, no other), engine (no effect)
    Paper: Zhu et al., Deep Hashing Network for Efficient Similarity Retrieval, AAAI 2016; Cao et al., HashNet: Deep
    Learning to Hash by Continuation, ICCV 2017. As the authors' code.
    Quirks: the published gradients ignore loss_weight. l and q multiply only the gradients; in the loss they count as 0
    or 1. Of HashNet's gradients, which are twice the derivative, only the first N of N K elements are multiplied by
    alpha. dQ is not divided by K. gradient: EXACT is the derivative of the weighted loss. Where exp overflows in the
    authors' code, it does not here.
    """

    num_bottoms = (2, 4)
    unforced_bottoms = (1, 3)
    fields = frozenset({"axis", "l_threshold", "q_threshold", "l_lambda", "q_gamma", "class_num", "sigmoid_param",
                        "continous_similarity"})

    def setup(self, bottom, top):
        super().setup(bottom, top)
        if len(bottom) == 3:
            raise NetError(self.where, expected="2 bottom blobs or 4", got=3)

    def reshape(self, bottom, top):
        super().reshape(bottom, top)
        shapes = [blob.shape for blob in bottom]
        if shapes[2:] and shapes[2:] != shapes[:2]:
            raise ShapeError(self.where, expected="codes and labels of the shapes of the first two bottoms",
                             got=f"{shapes[2]} and {shapes[3]} after {shapes[0]} and {shapes[1]}")
        self.require_columns(bottom)
        if self.options.axis not in (1, 1 - len(shapes[0])):
            raise NetError(self.where, expected="axis 1", got=self.options.axis)

    def formula(self, u, a, *other):
        u, a, v, b = (x.reshape(len(x), -1) for x in (u, a, *(other or (u, a))))
        options, c = self.options, a @ b.T
        t, s, g = options.sigmoid_param * u @ v.T, c > 0, abs(u) - 1
        w = np.where(s, options.class_num, 1) * ((c >= 0) & (c < a.shape[1]))
        linear = (t >= options.l_threshold) & (options.l_threshold >= 0)
        costs = np.where(linear, (1 - s) * t, np.logaddexp(0, t) - s * t)
        pulls = np.where((g > options.q_threshold) & (options.q_threshold > 0), abs(g - np.log(2)), np.log(np.cosh(g)))
        pull = 0 if other else pulls.mean()
        return (options.l_lambda > 0) * (w * costs).sum() / (w.sum() or 1) + (options.q_gamma > 0) * pull

    def forward(self, bottom, top):
        xp, options = self.xp, self.options
        u, v = (self.codes(blob.data) for blob in (bottom[0], bottom[-2]))
        self.t = options.sigmoid_param * matrix_product(u, v.T)
        a, b = (blob.data.reshape(self.rows[0], -1) for blob in (bottom[1], bottom[-1]))
        self.alike, weights, total, self.shares = label_pairs(a, b, options.class_num, options.continous_similarity)
        self.weights, self.total = (x.astype(self.dtype) for x in (weights, total))
        self.linear = (self.t >= options.l_threshold) & (options.l_threshold >= 0)
        costs = xp.where(self.linear, self.t * ~self.alike, self.costs(self.t, self.alike))
        self.weighted = self.weights * costs
        loss = self.weighted.sum() / self.total * (options.l_lambda > 0)
        if len(bottom) == 2:
            loss += binary_costs(u, options.q_threshold).mean() * (options.q_gamma > 0)
        top[0].data[...] = loss

    def slopes(self):
        """w_ij r_ij e_ij, or what the derivative has in their place."""
        if self.exact():
            return self.exact_slopes() * (self.options.l_lambda > 0) * self.weights
        return self.cost_slopes(self.t, self.alike) * self.weights * self.shares

    def terms(self, place, bottom, top):
        return likelihood_terms(self, place, bottom, top)

    def code_pairs(self, bottom):
        scale = -self.options.sigmoid_param * (self.options.l_lambda > 0) / self.total
        return self.pairs_by(self.exact_slopes() * self.weights * scale, bottom) if len(bottom) == 2 else None

    def backward(self, top, propagate_down, bottom):
        self.refuse_targets(propagate_down)
        options, exact, slopes = self.options, self.exact(), self.slopes()
        scale = self.weight(top) * options.sigmoid_param * (4 // len(bottom)) if exact else 2 * options.l_lambda
        for i, side in zip(range(0, len(bottom), 2), (slopes, slopes.T)):
            if propagate_down[i]:
                du = self.codes(bottom[i].diff)
                du[...] = matrix_product(side, self.codes(bottom[i - 2].data)) * (scale / self.total)
                du.reshape(-1)[:len(du)] *= 1 if exact else options.sigmoid_param
        if len(bottom) == 2 and propagate_down[0]:
            u = self.codes(bottom[0].data)
            slopes = log_cosh_slopes(u, options.q_threshold if exact else -1)
            scale = self.weight(top) * (options.q_gamma > 0) / u.size if exact else options.q_gamma / len(u)
            self.codes(bottom[0].diff)[...] += slopes * scale
