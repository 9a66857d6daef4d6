"""Triplet loss."""

from __future__ import annotations

from blobnet.core.loss_layer import LossLayer
from blobnet.core.registry import register
from blobnet.core.terms import Factor
from blobnet.errors import ShapeError
from blobnet.layers.loss._row_terms import triplet_terms


@register
class TripletLoss(LossLayer):
    """The positive must be nearer to the anchor than the negative by a margin.

    h_n = w_n max(0, m + ||a_n - p_n||^2 - ||a_n - q_n||^2),   loss = 1/(2 N) * sum_n h_n

    da_n = weight/N * w_n (q_n - p_n),   dp_n = weight/N * w_n (p_n - a_n),   dq_n = weight/N * w_n (a_n - q_n)
    where h_n > 0, else 0

    Bottoms: anchors a (N, C), positives p, negatives q (as a), with no further axes but of size 1; optionally weights
    of the samples w (N,) or (N, 1), else 1
    Tops: loss ()
    Params: none
    Options: triplet_loss_param.margin m (1)
    Paper: Schroff et al., FaceNet: A Unified Embedding for Face Recognition and Clustering, CVPR 2015, equation 3; with
    weights: the sketch retrieval of DeepSBIR.
    Quirks: half of the mean. If the weights need a gradient, it is 0. The other fields of triplet_loss_param belong to
    other layers.
    """

    options_field = "triplet_loss_param"
    num_bottoms = (3, 4)
    unforced_bottoms = (3,)

    def reshape(self, bottom, top):
        a, p, q = (blob.shape for blob in bottom[:3])
        if not a or p != a or q != a or any(size != 1 for size in a[2:]):
            raise ShapeError(self.where, expected="three bottoms of one shape (N, C), further axes of size 1",
                             got=f"{a}, {p} and {q}", hint="put a Flatten or an InnerProduct before")
        if len(bottom) == 4 and bottom[3].count != a[0]:
            raise ShapeError(self.where, f"weights {self.param.bottom[3]!r}", got=bottom[3].shape,
                             expected=f"one number a sample, ({a[0]},)")
        self.rows = a[0], bottom[0].count // max(1, a[0])
        top[0].reshape(())

    def terms(self, place, bottom, top):
        count = max(1, len(self.gaps))
        down = (self.weight_factor(top), Factor(1 / count, None, "1 / N"))
        return triplet_terms(place, bottom, self.slopes, self.gaps, 0.5 / count, down, self.rows)

    def forward(self, bottom, top):
        a, p, q = (blob.data.reshape(self.rows) for blob in bottom[:3])
        near, far = a - p, a - q
        gaps = self.options.margin + self.xp.einsum("nc,nc->n", near, near) - self.xp.einsum("nc,nc->n", far, far)
        weights = bottom[3].data.reshape(-1) if len(bottom) == 4 else self.xp.ones(len(gaps), self.dtype)
        self.gaps, self.slopes = gaps, self.xp.where(gaps > 0, weights, 0)
        top[0].data[...] = (self.slopes * gaps).sum() / max(1, len(gaps)) / 2

    def backward(self, top, propagate_down, bottom):
        a, p, q = (blob.data.reshape(self.rows) for blob in bottom[:3])
        scale = (self.slopes * (self.weight(top) / max(1, len(a))))[:, None]
        for wanted, blob, (x, y) in zip(propagate_down, bottom, ((q, p), (p, a), (a, q))):
            if wanted:
                self.xp.multiply(x - y, scale, out=blob.diff.reshape(self.rows))
        if any(propagate_down[3:]):
            bottom[3].diff.fill(0)
