"""Accuracy."""

from __future__ import annotations

import numpy as np

from blobnet.backend import folded
from blobnet.core.costs import sum_of_costs
from blobnet.core.layer import Layer
from blobnet.core.registry import register
from blobnet.core.terms import Factor
from blobnet.errors import ShapeError
from blobnet.ops.indices import numbers_below, tally


@register
class Accuracy(Layer):
    """The share of positions whose label is among the k highest scores.

    accuracy = (number of right positions) / (number of positions that count)

    Bottoms: x (N, C, H, W) scores; labels (N, H, W), integers in 0 ... C-1
    Tops: accuracy (); optionally the accuracy of every class (C,)
    Params: none
    Options: top_k (1), axis (1), ignore_label; min_is_better (false): the k lowest, as scores are distances
    Paper: none.
    Quirks: a score equal to the label's counts as higher, so ties are wrong (the first releases of Caffe 1.0 ranked
    equal scores by their class, the highest first). Where the label's score is nan, Caffe counts it as right; here it
    is wrong. A class without positions has accuracy 0. Has no backward; force_backward skips it.
    """

    options_field = "accuracy_param"
    num_bottoms = 2
    num_tops = (1, 2)
    unforced_bottoms = (0, 1)

    def reshape(self, bottom, top):
        axis = bottom[0].canonical_axis(self.options.axis, self.where)
        shape = bottom[0].shape
        self.grouped = outer, classes, inner = folded(shape, axis, axis + 1)
        if outer * inner != bottom[1].count:
            raise ShapeError(self.where, got=f"{bottom[1].count} of shape {bottom[1].shape}",
                             expected=f"{outer * inner} labels for scores {shape} with classes on axis {axis}")
        if self.options.top_k > classes:
            raise ShapeError(self.where, expected=f"top_k at most the {classes} classes", got=self.options.top_k)
        top[0].reshape(())
        if len(top) == 2:
            top[1].reshape((classes,))

    def formula(self, x, labels):
        (outer, classes, inner), options = self.grouped, self.options
        x, labels = x.reshape(self.grouped), labels.reshape(outer, inner).astype(int)
        x = -x if options.min_is_better else x
        hits, positions = np.zeros((2, classes))
        for (n, i), label in np.ndenumerate(labels):
            if not options.HasField("ignore_label") or label != options.ignore_label:
                rank = (x[n, :, i] >= x[n, label, i]).sum()  # 1 for the highest, 0 if it is nan
                hits[label] += 0 < rank <= options.top_k
                positions[label] += 1
        return hits.sum() / max(1, positions.sum()), hits / np.maximum(positions, 1)

    def terms(self, place, bottom, top):
        if place.kind != "top":
            return super().terms(place, bottom, top)
        positions = self.counted & (self.labels == place.index[0]) if place.number else self.counted
        right, count = self.right & positions, int(positions.sum())
        share = Factor(1 / max(1, count), None, "1 / positions that count")
        best = f"the {self.options.top_k} {'lowest' if self.options.min_is_better else 'highest'} scores"
        return sum_of_costs(place, right, (share,), lambda at: (
            f"row {at[0]}, position {at[1]}: label {self.labels[at]} is among {best}", None),
            f"{int(right.sum())} of {count} positions are right")

    def forward(self, bottom, top):
        outer, classes, inner = self.grouped
        scores = bottom[0].data.reshape(self.grouped)
        scores = -scores if self.options.min_is_better else scores
        ignored = self.options.ignore_label if self.options.HasField("ignore_label") else None
        read = numbers_below(bottom[1].data, classes, self.where, self.param.bottom[1], ignored=ignored)
        self.labels, self.counted = labels, counted = [array.reshape(outer, inner) for array in read]
        own = self.xp.take_along_axis(scores, labels[:, None, :], axis=1)
        right = ((scores >= own).sum(axis=1) <= self.options.top_k) & counted & (own == own)[:, 0]  # nan is not itself
        self.right = right
        top[0].data[...] = right.sum() / self.xp.maximum(counted.sum(), 1)
        if len(top) == 2:
            positions = tally(labels, classes, counted)
            top[1].data[...] = tally(labels, classes, right) / self.xp.maximum(positions, 1)
