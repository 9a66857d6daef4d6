"""Triplet loss over the distances of samples to classes."""

from __future__ import annotations

import numpy as np

from blobnet.core.costs import sum_of_costs
from blobnet.core.registry import register
from blobnet.core.terms import Factor, Place
from blobnet.errors import ShapeError
from blobnet.layers.loss._class_distances import ClassDistanceLoss


@register
class GeneralTripletLoss(ClassDistanceLoss):
    """Every sample should be nearer to its own class than to all others, by a margin.

    h_nk = max(0, d_ny + m - d_nk) for k != y, the class of n;   loss = 1/N * |w-| * sum_nk h_nk

    dd_nk = -weight/N * w- v_n where h_nk > 0;   dd_ny = weight/N * w+ v_n, with add_center_loss: false only where a
    sample has an h_nk > 0

    Bottoms: distances d (N, K), such as InnerDistance gives; labels y (N,), integers in 0 ... K - 1; optionally
    weights v (N,) of the samples in the gradient, else 1
    Tops: loss (); optionally the means (2,) of d_ny and of d_nk over k != y
    Params: none
    Options: general_triplet_loss_param.margin m (0.2), positive_weight w+ (1), negative_weight w- (1), add_center_loss
    (true); hardest_only (false): of each sample only the largest w- h above 0; positive_first (false): no h where
    d_ny > positive_upper_bound (1); gradient
    Paper: Wang et al., NormFace: L2 hypersphere embedding for face verification, ACM Multimedia 2017, section 3.3.
    Quirks: the published gradient, shown above, pulls to the own class once, however many h_nk there are, and where
    d_ny > positive_upper_bound always; the loss knows neither v nor w+ nor add_center_loss. gradient: EXACT is the
    derivative, without all three. With hardest_only a hardest class at distance 0 gets w- h in the place of -w-, and
    with w- below 0 all h get w- h. Two tops need two loss weights; the second one should be 0, since it has no
    gradient.
    """

    options_field = "general_triplet_loss_param"
    num_bottoms = (2, 3)
    unforced_bottoms = (1, 2)

    def reshape(self, bottom, top):
        super().reshape(bottom, top)
        for blob in bottom[2:]:
            if blob.count != self.rows[0]:
                raise ShapeError(self.where, expected=f"one weight a row, {self.rows[0]}", got=blob.shape)

    def formula(self, d, y, v=None):
        o, (N, K), y = self.options, self.rows, y.astype(int).ravel()
        d, rows = d.reshape(N, K), np.arange(N)
        near = d[rows, y]
        costs = np.maximum(0, near[:, None] + o.margin - d) * o.negative_weight
        costs[rows, y] = 0
        if o.hardest_only and costs.max() > 0:
            costs *= np.arange(K) == costs.argmax(axis=1)[:, None]
        if o.positive_first:
            costs[near > o.positive_upper_bound] = 0
        means = near.mean(), np.divide(d.sum() - near.sum(), N * (K - 1))
        return abs(costs).sum() / N, np.array(means)

    def forward(self, bottom, top):
        xp, options = self.xp, self.options
        self.distances, self.near, self.own = d, near, own = self.read(bottom)
        gaps = near[:, None] + options.margin - d
        self.active = ~own & (gaps > 0)
        costs = xp.where(self.active, gaps, 0) * options.negative_weight
        if options.hardest_only and options.negative_weight > 0:
            self.active &= xp.arange(self.rows[1]) == costs.argmax(axis=1)[:, None]
        if options.positive_first:
            self.active &= (near <= options.positive_upper_bound)[:, None]
        self.costs = costs * self.active
        top[0].data[...] = abs(self.costs).sum() / len(d)
        self.report(top, near.sum(), xp.where(own, 0, d).sum())

    def terms(self, place, bottom, top):
        if (place.kind, place.number) != ("top", 0):
            return super().terms(place, bottom, top)
        share = Factor(1 / len(self.costs), None, "1 / N")
        return sum_of_costs(place, abs(self.costs), (share,), lambda at: (
            f"row {at[0]} is not nearer to its class than to class {at[1]}", Place("bottom", 0, "data", at)),
            "what the distances to other classes lack of the margin")

    def backward(self, top, propagate_down, bottom):
        self.refuse_targets(propagate_down)
        if not propagate_down[0]:
            return
        exact = self.options.gradient == self.options.EXACT
        slopes = self.exact_slopes() if exact else self.published_slopes()
        if len(bottom) == 3 and not exact:
            slopes *= bottom[2].data.reshape(-1, 1)
        bottom[0].diff[...] = (slopes * (self.weight(top) / len(slopes))).reshape(bottom[0].shape)

    def exact_slopes(self):
        slopes = self.active * -abs(self.options.negative_weight)
        return self.xp.where(self.own, -slopes.sum(axis=1, keepdims=True), slopes)

    def published_slopes(self):
        xp, options = self.xp, self.options
        slopes = self.active * -options.negative_weight
        pulled = self.active.any(axis=1) | options.add_center_loss
        if options.hardest_only:
            reached = self.active & (self.distances != 0) & (options.negative_weight > 0)
            slopes = xp.where(reached, slopes, self.costs)
            pulled = reached.any(axis=1) | options.add_center_loss
        if options.positive_first:
            pulled |= self.near > options.positive_upper_bound
        return xp.where(self.own, (pulled * options.positive_weight)[:, None], slopes)
