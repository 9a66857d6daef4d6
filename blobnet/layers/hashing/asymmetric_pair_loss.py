"""The asymmetric loss of codes of a net and codes that are learned directly."""

from __future__ import annotations

import numpy as np

from blobnet.backend import folded
from blobnet.core.costs import products_of_rows, row_of, sum_of_costs
from blobnet.core.registry import register
from blobnet.core.terms import Factor
from blobnet.errors import ShapeError
from blobnet.layers.hashing._base import CodeLoss
from blobnet.ops.linear import matrix_product
from blobnet.ops.pairs import similar


@register
class AsymmetricPairLoss(CodeLoss):
    """The inner product of a query's code and that of a database image should be K if they are similar, else -K.

    s_ij = +1 if query i and image j share a label, else -1; if balanced -r, r = similar pairs / others

    E = u v^T - K s,   loss = 1/(N M) * ||E||^2,   du = weight * 2/(N M) * E v

    Bottoms: codes u (N, K) of queries; their labels y (N,) or (N, L); codes v (M, K) of the database, -1 and +1; their
    labels z (M,) or (M, L). L columns of 0 and 1, or one class a row
    Tops: loss ()
    Params: none
    Options: asymmetric_pair_param.balanced (false)
    Paper: Jiang and Li, Asymmetric Deep Supervised Hashing, AAAI 2018: the first term of its objective, whose second is
    the EuclideanLoss of u and the codes of the same images in v. blobnet.hashing.adsh learns v.
    Quirks: the mean over all pairs, as in the authors' program, where the paper has the sum. r is counted in the batch;
    in the program it is that of all queries of a round. Without dissimilar pairs r is of no effect. v gets no gradient.
    """

    options_field = "asymmetric_pair_param"
    num_bottoms = 4
    unforced_bottoms = (1, 2, 3)

    def reshape(self, bottom, top):
        super().reshape(bottom, top)
        u, y, v, z = bottom
        if not v.shape or folded(v.shape, 1)[1] != self.rows[1]:
            raise ShapeError(self.where, f"codes {self.param.bottom[2]!r}", got=v.shape,
                             expected=f"codes of {self.rows[1]} elements, as {self.param.bottom[0]!r} has")
        self.database = folded(v.shape, 1)
        for labels, codes in ((y, u), (z, v)):
            if labels.shape[:1] != codes.shape[:1]:
                raise ShapeError(self.where, "labels", expected=f"a row of labels for each of {codes.shape[0]} codes",
                                 got=labels.shape)
        if folded(y.shape, 1)[1] != folded(z.shape, 1)[1]:
            raise ShapeError(self.where, "labels", expected="as many columns in both", got=f"{y.shape} and {z.shape}")

    def wishes(self, alike):
        """s (N, M) for pairs that are alike or not."""
        xp, options = self.xp, self.options
        others = alike.size - alike.sum()
        unlike = -alike.sum() / xp.maximum(others, 1) if options.balanced else -1
        return xp.where(alike, 1, unlike).astype(self.dtype)

    def formula(self, u, y, v, z):
        (n, k), m = self.rows, len(v)
        y, z = y.reshape(n, -1), z.reshape(m, -1)
        alike = (y[:, None] == z).all(2) if y.shape[1] == 1 else y @ z.T > 0
        unlike = alike.sum() / max(1, (~alike).sum()) if self.options.balanced else 1
        E = u.reshape(n, k) @ v.reshape(m, k).T - k * np.where(alike, 1, -unlike)
        return (E ** 2).sum() / max(1, n * m)

    def forward(self, bottom, top):
        (u, v), (y, z) = (self.codes(bottom[0].data), bottom[2].data.reshape(self.database)), (
            bottom[i].data.reshape(folded(bottom[i].shape, 1)) for i in (1, 3))
        self.alike = similar(y, self.where, self.param.bottom[1], z, self.param.bottom[3])
        self.errors = matrix_product(u, v.T) - self.rows[1] * self.wishes(self.alike)
        self.share = 1 / max(1, self.errors.size)
        top[0].data[...] = self.xp.square(self.errors).sum() * self.share

    def terms(self, place, bottom, top):
        share = Factor(self.share, None, "1 / (N M)")
        if place.kind == "top":
            return sum_of_costs(place, self.errors ** 2, (share,), lambda at: (
                f"query {at[0]} and image {at[1]}, {'similar' if self.alike[at] else 'unlike'}", None),
                "every pair costs the square of <u_i, v_j> - K s_ij")
        i, k = row_of(place, bottom[0], self.rows)
        down = Factor(2 * self.share, None, "2 / (N M)"), self.weight_factor(top)
        return products_of_rows(place, 2, bottom[2], self.database, self.errors[i], down, k)

    def backward(self, top, propagate_down, bottom):
        self.refuse_targets(propagate_down)
        if propagate_down[0]:
            slope = matrix_product(self.errors, bottom[2].data.reshape(self.database))
            self.codes(bottom[0].diff)[...] = slope * (self.weight(top) * 2 * self.share)
