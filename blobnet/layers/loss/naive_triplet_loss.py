"""Triplet loss over the thirds of a batch."""

from __future__ import annotations

from blobnet.core.blob import Blob
from blobnet.core.costs import sum_of_costs
from blobnet.core.registry import class_of, register
from blobnet.core.terms import Factor
from blobnet.errors import ShapeError
from blobnet.layers.loss._base import ReportingLoss
from blobnet.proto.messages import new


@register
class NaiveTripletLoss(ReportingLoss):
    """In every triplet of a batch, the positive must be more similar to the query than the negative by a margin.

    p_n = sim(a_n, b_n), q_n = sim(a_n, c_n),   h_n = max(0, m - p_n + q_n),   loss = 1/N * sum_n h_n
    accuracy = (number of n with p_n > q_n) / N

    db_n = -sim'(a_n, b_n),   dc_n = sim'(a_n, c_n),   da_n = sim'(a_n, c_n) where h_n > 0, else 0

    Bottoms: x (3 N, ...): the queries a, then the positives b, then the negatives c, in the same order
    Tops: loss (); accuracy ()
    Params: none
    Options: triplet_loss_param.margin m (1); sim_type (EuclideanSimilarity), any layer type of two bottoms and one
    number a row; sample (false): only triplets with p_n > q_n are trained; gradient
    Paper: Wang et al., Learning Fine-grained Image Similarity with Deep Ranking, CVPR 2014.
    Quirks: the published gradient, shown above, is neither divided by N nor multiplied with loss_weight, and lacks
    the part of the positive pair in da. gradient: EXACT is the derivative of the loss, which sample does not change.
    mu, which belongs to BatchTripletLoss, has no effect. loss_weight is that of the loss; accuracy has 0.
    """

    options_field = "triplet_loss_param"
    published_gradient = True
    num_bottoms, num_tops = 1, 2
    unforced_bottoms = ()

    def setup(self, bottom, top):
        kind = self.options.sim_type
        names = {"bottom": ["query", "other"], "top": ["similarity"]}
        param = new("LayerParameter", name=f"{self.name}'s similarity", type=kind, phase=self.phase, **names)
        self.thirds = [Blob((), self.xp, self.dtype) for _ in range(3)]
        self.similarities = [Blob((), self.xp, self.dtype) for _ in range(2)]
        self.layers = [class_of(param, self.where)(param, self.context, self.index) for _ in range(2)]
        self._cut(bottom[0])
        for layer, others, similarity in self._pairs():
            layer.initialize(others, [similarity])

    def _cut(self, blob):
        """Shape the thirds."""
        rows = blob.shape[0] if blob.shape else 0
        if rows % 3 or not blob.shape:
            raise ShapeError(self.where, expected="rows in thirds: queries, positives, negatives", got=blob.shape)
        for third in self.thirds:
            third.reshape((rows // 3, *blob.shape[1:]))

    def _pairs(self):
        """The layer, its bottoms and its top: of the positives, of the negatives."""
        return zip(self.layers, ([self.thirds[0], other] for other in self.thirds[1:]), self.similarities)

    def reshape(self, bottom, top):
        self._cut(bottom[0])
        for layer, pair, similarity in self._pairs():
            layer.update_shapes(pair, [similarity])
            if similarity.count != pair[0].shape[0]:
                raise ShapeError(self.where, f"similarity {self.options.sim_type!r}", got=similarity.shape,
                                 expected=f"one number for each of {pair[0].shape[0]} rows")
        for blob in top:
            blob.reshape(())

    def forward(self, bottom, top):
        thirds = bottom[0].data.reshape(3, *self.thirds[0].shape)
        for blob, values in zip(self.thirds, thirds):
            blob.data[...] = values
        for layer, pair, similarity in self._pairs():
            layer.forward(pair, [similarity])
        near, far = (similarity.data.reshape(-1) for similarity in self.similarities)
        gaps = self.options.margin - near + far
        self.violated, self.right = gaps > 0, near > far
        self.lacks = self.xp.maximum(gaps, 0)
        top[0].data[...] = self.lacks.sum() / max(1, len(gaps))
        top[1].data[...] = self.right.sum() / max(1, len(gaps))

    def terms(self, place, bottom, top):
        if place.kind != "top":
            return super().terms(place, bottom, top)
        costs, words, what = ((self.lacks, "lacks this of the margin", "what the triplets cost"),
                              (self.right, "is right", "the triplets that are right"))[place.number]
        share = Factor(1 / max(1, len(costs)), None, "1 / N")
        return sum_of_costs(place, costs, (share,), lambda at: (f"triplet {at[0]} {words}", None), what)

    def backward(self, top, propagate_down, bottom):
        if not propagate_down[0]:
            return
        exact = self.options.gradient == self.options.EXACT
        active = self.violated & self.right if self.options.sample and not exact else self.violated
        scale = self.weight(top) / max(1, len(active)) if exact else 1
        queries = 0
        for sign, (layer, pair, similarity) in zip((-1, 1), self._pairs()):
            similarity.diff[...] = (active * (sign * scale)).reshape(similarity.shape)
            layer.backward([similarity], [True, True], pair)
            queries = pair[0].diff + queries if exact else pair[0].diff
        for diff, values in zip(bottom[0].diff.reshape(3, *self.thirds[0].shape),
                                (queries, *(blob.diff for blob in self.thirds[1:]))):
            diff[...] = values
