"""The pairwise likelihood of deep hashing networks."""

from __future__ import annotations

from blobnet.core.registry import register
from blobnet.errors import NetError, ShapeError
from blobnet.layers.hashing._base import CodeLoss
from blobnet.ops.pairs import pair_weights, pull_gradient, similar, squared_distances
from blobnet.ops.quantization import binary_costs, log_cosh_slopes
from blobnet.ops.softmax import sigmoid

FIELDS = {  # of the three forms, named after the field that asks for them
    "weighted": {"weighted", "sigmoid_param", "class_num"},
    "threshold": {"threshold"},
    "": {"axis", "l_threshold", "q_threshold", "l_lambda", "q_gamma", "class_num", "sigmoid_param",
         "continous_similarity"},
}


@register
class PairwiseLoss(CodeLoss):
    """The inner product of two codes should tell whether the images are similar.

    t_ij = alpha <u_i, v_j>;   s_ij = 1 if c_ij > 0, else 0, with c_ij = <a_i, b_j>, the labels in common

    w_ij = class_num if s_ij, else 1; 0 if c_ij < 0 or c_ij >= L, as with unknown labels;   W = sum_ij w_ij

    loss = 1/W * sum_ij w_ij (log(1 + exp(t_ij)) - s_ij t_ij) + Q,   du_i = 2 l/W * sum_j w_ij r_ij e_ij v_j + dQ_i

    e_ij = 1/(1 + exp(-t_ij)) - s_ij;   from t_ij >= l_threshold >= 0 on the cost is (1 - s_ij) t_ij, but e_ij stays

    r_ij = 1;   continous_similarity: 4 c_ij^2/(|a_i|^2 |b_j|^2), 1 where that is 0

    Two bottoms (DHN): v = u, b = a, pairs with i = j count, and Q is QuantizationLoss with q_threshold, dQ = q/N *
    tanh(|u| - 1) sign(u). Four (HashNet): Q = 0, and the gradient of v likewise, sum_i w_ij r_ij e_ij u_i.

    threshold given (TAH): t_ij = floor(K/2)/(1 + ||u_i - u_j||^2), w_ij = 1, Q = 0, from threshold on linear; e_ij is
    1 - s_ij where t_ij > threshold, and du_i = -2/W * sum_j e_ij 2 floor(K/2)/(1 + ||u_i - u_j||^2)^2 (u_i - u_j)

    weighted given (the papers' mean): pairs S, i < j; s_ij as HashingLoss; du the derivative of
    loss = 1/|S| * sum_S w_ij (log(1 + exp(t_ij)) - s_ij t_ij), w_ij as above without unknown pairs; with weighted: true
    times |S|/|S1| and labels in common / labels of either if s_ij, else |S|/|S0|, of |S1| similar, |S0| other pairs

    Bottoms: codes u (N, K); labels a (N, L), L > 1, one 0/1 column a label; or u, a, codes v (N, K), labels b (N, L).
    With weighted given two, labels also (N,), one class a row
    Tops: loss ()
    Params: none
    Options: pairwise_param.l_lambda l (1), q_gamma q (1), l_threshold (-1), q_threshold (-1), class_num (1),
    sigmoid_param alpha (1), continous_similarity (false); axis (1, no other), engine (no effect); threshold; weighted;
    gradient
    Paper: Zhu et al., Deep Hashing Network for Efficient Similarity Retrieval, AAAI 2016; Cao et al., HashNet: Deep
    Learning to Hash by Continuation, ICCV 2017; Cao et al., Transfer Adversarial Hashing, AAAI 2018. As the authors'
    code, but for `weighted`, which is from the papers.
    Quirks: the published gradients know no loss_weight; l and q multiply only them, in the loss they count as 0 or 1.
    Of HashNet's gradients, which are twice the derivative, only the first N of N K elements are multiplied by alpha.
    dQ is not divided by K. gradient: EXACT is the derivative, with the loss weight, of the loss that is shown. TAH's
    code adds to the gradient of the step before, here it overwrites it. Where exp overflows there, here it does not.
    With `weighted` given no pairs are a loss of 0.
    """

    options_field = "pairwise_param"
    published_gradient = True
    num_bottoms = (2, 4)
    unforced_bottoms = (1, 3)

    def setup(self, bottom, top):
        given = {field.name for field, _ in self.options.ListFields()}
        self.form = next((name for name in ("weighted", "threshold") if name in given), "")
        foreign = sorted(given - FIELDS[self.form] - {"gradient", "engine"})
        if foreign:
            raise NetError(self.where, f"pairwise_param.{foreign[0]} has no meaning beside {self.form}")
        if len(bottom) == 3 or len(bottom) == 4 and self.form:
            raise NetError(self.where, expected=f"2 bottom blobs{'' if self.form else ' or 4'}", got=len(bottom))

    def reshape(self, bottom, top):
        super().reshape(bottom, top)
        self.check_rows(bottom)
        shapes = [blob.shape for blob in bottom]
        if not all(self.rows):
            raise ShapeError(self.where, expected="a batch of at least 1, codes of at least 1 element", got=shapes[0])
        if shapes[2:] and shapes[2:] != shapes[:2]:
            raise ShapeError(self.where, expected="codes and labels of the shapes of the first two bottoms",
                             got=f"{shapes[2]} and {shapes[3]} after {shapes[0]} and {shapes[1]}")
        if self.form != "weighted" and bottom[1].count <= self.rows[0]:
            raise ShapeError(self.where, f"labels {self.param.bottom[1]!r}", got=shapes[1], hint="for one class a row "
                             "set pairwise_param.weighted", expected="one 0/1 column a label, (N, L), L above 1")
        if self.options.axis not in (1, 1 - len(shapes[0])):
            raise NetError(self.where, expected="axis 1", got=self.options.axis)

    def forward(self, bottom, top):
        xp, n, options = self.xp, self.rows[0], self.options
        codes, labels = bottom[::2], [blob.data.reshape(n, -1) for blob in bottom[1::2]]
        self.t = self._closeness(*(self.codes(blob.data) for blob in (codes[0], codes[-1])))
        self.alike, self.weights, self.total = self._counts(labels[0], labels[-1])
        threshold = options.threshold if self.form == "threshold" else options.l_threshold
        self.linear = (self.t >= threshold) & (threshold >= 0)
        costs = xp.maximum(self.t, 0) - self.t * self.alike + xp.log1p(xp.exp(-xp.abs(self.t)))
        costs = xp.where(self.linear, self.t * ~self.alike, costs)
        loss = (self.weights * costs).sum() / self.total * (options.l_lambda > 0)
        self.quantizes = not self.form and len(bottom) == 2
        if self.quantizes:
            loss += binary_costs(self.codes(bottom[0].data), options.q_threshold).mean() * (options.q_gamma > 0)
        top[0].data[...] = loss

    def _closeness(self, u, v):
        if self.form != "threshold":
            return self.options.sigmoid_param * (u @ v.T)
        self.nearness = 1 / (1 + squared_distances(u))
        return self.rows[1] // 2 * self.nearness

    def _counts(self, a, b):
        """s_ij, w_ij and the number of pairs by which to divide."""
        xp, n, options = self.xp, self.rows[0], self.options
        if self.form == "weighted":
            alike = similar(a, self.where, self.param.bottom[1])
            weights = pair_weights(alike, a, options.class_num, options.weighted)
            return alike, weights.astype(self.dtype), max(1, n * (n - 1))  # every pair is there twice
        common = a @ b.T
        weights = xp.where(common > 0, options.class_num, 1)
        if not self.form:
            weights = xp.where((common < 0) | (common >= a.shape[1]), 0, weights)
        if options.continous_similarity:
            sizes = xp.outer(xp.square(a).sum(axis=1), xp.square(b).sum(axis=1))
            self.shares = xp.where(common == 0, 1, 4 * xp.square(common) / xp.where(sizes > 0, sizes, 1))  # r_ij
        total = weights.sum()
        return common > 0, weights.astype(self.dtype), xp.where(total > 0, total, 1).astype(self.dtype)

    def backward(self, top, propagate_down, bottom):
        self.refuse_targets(propagate_down)
        options, weight = self.options, self.weight(top)
        exact = options.gradient == options.EXACT or self.form == "weighted"
        slopes = self._slopes(exact)
        codes = [self.codes(blob.data) for blob in bottom[::2]]
        for i, side in zip(range(0, len(bottom), 2), (slopes, slopes.T)):
            if not propagate_down[i]:
                continue
            u, v, diff = codes[i // 2], codes[i // 2 - 1], self.codes(bottom[i].diff)
            gradient = pull_gradient(side, u) if self.form == "threshold" else side @ v
            if exact:
                diff[...] = gradient * (weight * options.sigmoid_param * (2 if len(codes) == 1 else 1) / self.total)
            else:
                diff[...] = gradient * (2 * options.l_lambda / self.total)
                diff.reshape(-1)[:len(u)] *= options.sigmoid_param
            if self.quantizes and exact:
                diff += log_cosh_slopes(u, options.q_threshold) * (weight * (options.q_gamma > 0) / u.size)
            elif self.quantizes:
                diff += log_cosh_slopes(u) * (options.q_gamma / len(u))

    def _slopes(self, exact):
        """What every pair adds: w_ij r_ij e_ij, times the slope of t where that is a function of distances."""
        xp, options = self.xp, self.options
        slopes = xp.empty_like(self.t)
        sigmoid(self.t, slopes)
        slopes -= self.alike
        if exact:
            slopes = xp.where(self.linear, ~self.alike, slopes) * (options.l_lambda > 0)
        elif self.form == "threshold":
            slopes = xp.where(self.t > options.threshold, ~self.alike, slopes)
        slopes *= self.weights
        if self.form == "threshold":
            slopes *= -2 * (self.rows[1] // 2) * xp.square(self.nearness)
        elif options.continous_similarity and not exact:
            slopes *= self.shares
        return slopes
