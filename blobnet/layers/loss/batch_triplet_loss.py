"""Triplet loss over all triplets of a batch."""

from __future__ import annotations

import numpy as np

from blobnet.core.registry import register
from blobnet.errors import ShapeError
from blobnet.layers.loss._base import ReportingLoss
from blobnet.layers.loss._batch_terms import batch_triplet_terms
from blobnet.ops.indices import class_numbers, scatter_add
from blobnet.ops.pairs import pull_gradient, squared_distances


@register
class BatchTripletLoss(ReportingLoss):
    """In all triplets of a batch, samples of a class must be nearer to each other than to others, by a margin.

    D_ij = ||x_i - x_j||^2;   pairs P: (i, j), i != j, of one run, which are neighbouring rows of equal labels;
    triplets T: (i, j) of P and k of another label;   h_ijk = max(0, m + D_ij - D_ik)

    loss = mu * R + (1 - mu) * S,   R = 1/|T| * sum_T h_ijk,   S = 1/|P| * sum_P D_ij, 0 unless mu < 1
    accuracy = (number of triplets with D_ij < D_ik) / |T|, 1 without any triplet

    dx = mu/|U| * sum_U h'_ijk + (1 - mu) S',   U: triplets with h > 0

    Bottoms: x (N, ...); labels (N,), rows of one class together
    Tops: loss (); accuracy (); optionally figures (1, 1, 1, 5): sum_U h / |U|, R, S, |T|, |U|
    Params: none
    Options: triplet_loss_param.margin m (1); mu (1); sample (false): U only has those with D_ij < D_ik; gradient
    Paper: none; the similarity-learning fork.
    Quirks: the published gradient, shown above, is the mean over the triplets in use instead of all, and ignores
    loss_weight. gradient: EXACT is the derivative of the loss, which sample does not change. Samples of one class in
    different runs are neither pairs nor negatives of each other. sim_type, which belongs to NaiveTripletLoss, has no
    effect. loss_weight is that of the loss; the other tops have 0.
    """

    options_field = "triplet_loss_param"
    published_gradient = True
    num_bottoms, num_tops = 2, (2, 3)

    def reshape(self, bottom, top):
        if bottom[0].shape[:1] != (bottom[1].count,):
            raise ShapeError(self.where, expected="one label a row", got=f"{bottom[0].shape} and {bottom[1].shape}")
        self.rows = bottom[1].count, bottom[0].count // max(1, bottom[1].count)
        for blob in top[:2]:
            blob.reshape(())
        for blob in top[2:]:
            blob.reshape((1, 1, 1, 5))

    def formula(self, x, labels):
        options, labels, n = self.options, labels.ravel(), len(x)
        D = ((x.reshape(n, 1, -1) - x.reshape(n, -1)) ** 2).sum(2)
        run = np.cumsum([0, *(labels[1:] != labels[:-1])])
        P = [(i, j) for i, j in np.ndindex(n, n) if i != j and run[i] == run[j]]
        T = [(D[i, j], D[i, k]) for i, j in P for k in range(n) if labels[k] != labels[i]]
        h = [max(0, options.margin + near - far) for near, far in T]
        U = [cost for cost, (near, far) in zip(h, T) if cost > 0 and (near < far or not options.sample)]
        R, S = sum(h) / max(1, len(T)), sum(D[pair] for pair in P) / max(1, len(P)) * (options.mu < 1)
        right = sum(near < far for near, far in T) / len(T) if T else 1
        figures = np.array([sum(U) / max(1, len(U)), R, S, len(T), len(U)])
        return options.mu * R + (1 - options.mu) * S, right, figures

    def forward(self, bottom, top):
        xp, options, n = self.xp, self.options, self.rows[0]
        labels = class_numbers(bottom[1].data, self.where, self.param.bottom[1]).reshape(-1)
        distances = squared_distances(bottom[0].data.reshape(self.rows))
        runs = xp.concatenate([xp.zeros(min(1, n), int), xp.cumsum(labels[1:] != labels[:-1])])
        self.pairs = (runs[:, None] == runs) & ~xp.eye(n, dtype=bool)
        self.near = i, j = xp.nonzero(self.pairs)
        gaps = options.margin + distances[i, j][:, None] - distances[i]  # (pairs, N): h before the maximum
        others = (labels[:, None] != labels)[i]
        triplets = int(others.sum())
        self.all = max(1, triplets)
        right = others & (distances[i, j][:, None] < distances[i])
        self.violated = others & (gaps > 0)
        self.used = self.violated & right if options.sample else self.violated
        self.gaps, self.distances = gaps, distances
        ranking = float(xp.maximum(gaps[others], 0).sum()) / self.all
        pulling = float(distances[i, j].mean()) if options.mu < 1 and len(i) else 0.0
        top[0].data[...] = options.mu * ranking + (1 - options.mu) * pulling
        top[1].data[...] = int(right.sum()) / triplets if triplets else 1
        if len(top) == 3:
            used = int(self.used.sum())
            figures = [float(gaps[self.used].sum()) / max(1, used), ranking, pulling, triplets, used]
            top[2].data[...] = xp.asarray(figures).reshape(1, 1, 1, 5)

    def backward(self, top, propagate_down, bottom):
        self.refuse_targets(propagate_down)
        if not propagate_down[0]:
            return
        weight = self.weight(top) if self.exact() else 1
        pull = pull_gradient(self.pair_slopes(), bottom[0].data.reshape(self.rows))
        bottom[0].diff[...] = (2 * weight * pull).reshape(bottom[0].shape)

    def exact(self) -> bool:
        """Whether backward is to be the derivative, instead of what was published."""
        return self.options.gradient == self.options.EXACT

    def pair_slopes(self):
        """The derivative of the loss by the distance of two rows, (N, N)."""
        used, (i, j) = self.violated if self.exact() else self.used, self.near
        count = self.all if self.exact() else max(1, int(used.sum()))
        slopes = self.xp.zeros(self.pairs.shape)  # of the loss by D_ij
        slopes[i, j] = used.sum(axis=1) * (self.options.mu / count)
        scatter_add(slopes, i, used * (-self.options.mu / count))
        if self.options.mu < 1:
            slopes += self.pairs * ((1 - self.options.mu) / max(1, len(i)))
        return slopes + slopes.T

    def terms(self, place, bottom, top):
        reports = place.kind == "top" and place.number
        return super().terms(place, bottom, top) if reports else batch_triplet_terms(self, place, bottom, top)
