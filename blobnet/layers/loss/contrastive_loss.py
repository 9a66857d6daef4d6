"""Contrastive loss."""

from __future__ import annotations

from blobnet.core.loss_layer import LossLayer
from blobnet.core.registry import register
from blobnet.errors import ShapeError
from blobnet.layers.loss._row_terms import contrastive_terms

TINY = 1e-4  # added to the distance that the gradient divides by


@register
class ContrastiveLoss(LossLayer):
    """Similar pairs should be near each other, others a margin apart.

    d_n = ||a_n - b_n||,   loss = 1/(2 N) * sum_n [ d_n^2 if y_n != 0, else max(0, m - d_n)^2 ]

    da_n = weight/N * c_n * (a_n - b_n),   db_n = -da_n,
    c_n = 1 if y_n != 0, -(m - d_n) / (d_n + 0.0001) if y_n = 0 and d_n < m, else 0

    Bottoms: a (N, C), b (N, C), with no further axes but of size 1; similarity y (N,), 0 for unlike pairs
    Tops: loss ()
    Params: none
    Options: margin m (1); legacy_version (false): unlike pairs cost max(0, m - d_n^2) and have c_n = -1 while d_n^2 < m
    Paper: Hadsell, Chopra and LeCun, Dimensionality Reduction by Learning an Invariant Mapping, CVPR 2006.
    Quirks: the 0.0001 keeps the gradient finite and makes it slightly smaller than the derivative. y is truncated to an
    integer first, so 0.5 is unlike. There is no gradient for y, and no error if a layer that learns makes y.
    """

    options_field = "contrastive_loss_param"
    num_bottoms = 3
    unforced_bottoms = (2,)

    def reshape(self, bottom, top):
        super().reshape(bottom, top)
        a, b, y = (blob.shape for blob in bottom)
        widths = [shape[1] if len(shape) > 1 else 1 for shape in (a, b)]
        if widths[0] != widths[1] or any(size != 1 for size in (*a[2:], *b[2:])):
            raise ShapeError(self.where, expected="a and b of one shape (N, C), further axes of size 1",
                             got=f"{a} and {b}", hint="put a Flatten or an InnerProduct before")
        self.rows = a[0], widths[0]
        if y[:1] != a[:1] or bottom[2].count != a[0]:
            raise ShapeError(self.where, f"similarity {self.param.bottom[2]!r}", got=y,
                             expected=f"one number a pair, ({a[0]},)")

    def terms(self, place, bottom, top):
        return contrastive_terms(self, place, bottom, top)

    def forward(self, bottom, top):
        margin = self.options.margin
        self.difference = (bottom[0].data - bottom[1].data.reshape(bottom[0].shape)).reshape(self.rows)
        squares = self.xp.einsum("nc,nc->n", self.difference, self.difference)
        similar = self.xp.trunc(bottom[2].data.reshape(-1)) != 0
        if self.options.legacy_version:
            gaps = margin - squares
            costs, slopes = self.xp.maximum(gaps, 0), -(gaps > 0).astype(gaps.dtype)
        else:
            distances = self.xp.sqrt(squares)
            gaps = self.xp.maximum(margin - distances, 0)
            costs, slopes = gaps * gaps, -gaps / (distances + TINY)
        self.slopes = self.xp.where(similar, 1, slopes)  # c_n
        top[0].data[...] = self.xp.where(similar, squares, costs).sum() / max(1, len(squares)) / 2

    def backward(self, top, propagate_down, bottom):
        scale = self.weight(top) / max(1, len(self.slopes))
        slopes = (scale * self.slopes)[:, None]
        for sign, wanted, blob in zip((1, -1), propagate_down, bottom):
            if wanted:
                self.xp.multiply(self.difference, sign * slopes, out=blob.diff.reshape(self.rows))
