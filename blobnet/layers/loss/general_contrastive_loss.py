"""Contrastive loss over the distances of samples to classes."""

from __future__ import annotations

import numpy as np

from blobnet.core.registry import register
from blobnet.layers.loss._class_distances import ClassDistanceLoss


@register
class GeneralContrastiveLoss(ClassDistanceLoss):
    """Every sample should be near to its own class and at least a margin away from all others.

    p_n = min(o, max(0, d_ny - m+)), y the class of n;   q_nk = max(0, m- - d_nk) for k != y, q_ny = 0
    loss = 1/N * sum_n ( |w+| p_n + |w-| sum_k q_nk ),   with exp_negative_weight exp(-d_nk) for q_nk where q_nk > 0

    dd_ny = weight/N * w+ where m+ < d_ny < o;   dd_nk = -weight/N * w- where q_nk > 0, with exp_negative_weight
    that times exp(-d_nk);   with normalize_negative r, all of these are divided by s = |sum_nk w- q'_nk| / (r N)
    where that is above w+

    Bottoms: distances d (N, K), such as InnerDistance gives; labels y (N,), integers in 0 ... K - 1
    Tops: loss (); optionally the means of p_n and of q_nk over k != y, without weights and with all samples, and with
    add_intra_mae its mean (2 or 3,)
    Params: none
    Options: general_contrastive_loss_param.positive_margin m+ (0), negative_margin m- (1), positive_weight w+ (1),
    negative_weight w- (1), positive_outlier_thresh o (4), exp_negative_weight (false), normalize_negative r (not
    given: off); max_negative_only (false): of each sample only the largest q; max_positive_only (false): only the
    smallest w+ p of the batch; positive_first (false): no q where d_ny > positive_upper_bound (1); add_intra_mae
    (false): to m- is added a running mean of p, 0.99 of the old and 0.01 of the new after each forward, no more than
    max_negative_margin (1.2); gradient
    Paper: Wang et al., NormFace: L2 hypersphere embedding for face verification, ACM Multimedia 2017, section 3.3.
    Quirks: the published gradient, shown above, ends at d_ny = o and not at o + m+, is divided by s, takes w+ for all
    samples with d_ny above positive_upper_bound, and the sign of a weight below 0. gradient: EXACT is the derivative.
    max_positive_only keeps the smallest cost, as shown. With max_negative_only a sample of class 0 has no q at all
    unless the largest w- q is above its w+ p. square has no effect. Two tops need two loss weights; the second one
    should be 0, since it has no gradient. The running mean begins at 0, also after `seek`.
    """

    options_field = "general_contrastive_loss_param"
    replays = False  # the running mean is a new array after each forward

    def setup(self, bottom, top):
        self.intra = 0.0

    def seek(self, step):
        self.intra = 0.0

    def reported(self):
        return 3 if self.options.add_intra_mae else 2

    def formula(self, d, y):
        o, (N, K), y = self.options, self.rows, y.astype(int).ravel()
        d, rows = d.reshape(N, K), np.arange(N)
        m = o.negative_margin + (self.intra if o.add_intra_mae else 0)
        p = np.minimum(o.positive_outlier_thresh, np.maximum(0, d[rows, y] - o.positive_margin))
        q = np.maximum(0, m - d)
        q[rows, y] = 0
        costs = o.negative_weight * (np.exp(-d) * (q > 0) if o.exp_negative_weight else q)
        for n in rows[:N * o.max_negative_only]:
            best = max((k for k in range(K) if k != y[n]), key=lambda k: costs[n, k], default=0)
            costs[n, np.arange(K) != best] = 0
            if y[n] == 0 and costs[n, best] <= o.positive_weight * p[n]:
                costs[n] = 0
        if o.positive_first:
            costs[d[rows, y] > o.positive_upper_bound] = 0
        pulls = o.positive_weight * p
        kept = min(pulls, key=abs) if o.max_positive_only else pulls
        intra = min(o.max_negative_margin, 0.99 * self.intra + 0.01 * p.mean())
        means = [p.mean(), np.divide(q.sum(), N * (K - 1)), intra][:self.reported()]
        return (abs(costs).sum() + abs(kept).sum()) / N, np.array(means)

    def forward(self, bottom, top):
        xp, options, (n, k) = self.xp, self.options, self.rows
        self.distances, self.near, self.own = d, near, own = self.read(bottom)
        margin = options.negative_margin + (self.intra if options.add_intra_mae else 0)
        pull = xp.minimum(xp.maximum(near - options.positive_margin, 0), options.positive_outlier_thresh)
        pull_costs = options.positive_weight * pull
        used = ~own & (d < margin)
        push = xp.where(used, margin - d, 0)
        push_costs = options.negative_weight * (xp.where(used, xp.exp(-d), 0) if options.exp_negative_weight else push)
        if options.max_negative_only:  # the search begins at class 0, even if that is the own one
            scores = xp.where(used, push_costs, -xp.inf)
            scores[:, 0] = xp.where(own[:, 0], pull_costs, push_costs[:, 0])
            used &= xp.arange(k) == scores.argmax(axis=1)[:, None]
        if options.positive_first:
            used &= (near <= options.positive_upper_bound)[:, None]
        self.pulled = xp.arange(n) == pull_costs.argmin() if options.max_positive_only else xp.ones(n, bool)
        self.pushed = used
        self.intra = xp.minimum(0.99 * self.intra + 0.01 * pull.mean(), options.max_negative_margin)
        top[0].data[...] = (abs(pull_costs * self.pulled).sum() + abs(push_costs * used).sum()) / n
        self.report(top, pull.sum(), push.sum(), *[self.intra] * options.add_intra_mae)

    def backward(self, top, propagate_down, bottom):
        self.refuse_targets(propagate_down)
        if not propagate_down[0]:
            return
        xp, options, near, n = self.xp, self.options, self.near, self.rows[0]
        first, second = options.positive_weight, options.negative_weight
        exact = options.gradient == options.EXACT
        if exact:
            first, second = abs(first), abs(second)
        end = options.positive_outlier_thresh + (options.positive_margin if exact else 0)
        pulled = self.pulled & (near > options.positive_margin) & (near < end)
        if options.positive_first and not exact:
            pulled |= near > options.positive_upper_bound
        slopes = self.pushed * (xp.exp(-self.distances) if options.exp_negative_weight else 1) * -second
        if options.HasField("normalize_negative") and not exact:
            share = abs(slopes.sum()) / n
            norm = options.normalize_negative  # 0 makes the share infinite
            slopes *= xp.where(share > first * norm, norm / xp.maximum(share, 1e-30), 1) if norm > 0 else norm < 0
        slopes = xp.where(self.own, (pulled * first)[:, None], slopes)
        bottom[0].diff[...] = (slopes * (self.weight(top) / n)).reshape(bottom[0].shape)
