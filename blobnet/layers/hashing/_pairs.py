"""All pairs of the codes of a batch, and their likelihood, which the layers called PairwiseLoss share."""

from __future__ import annotations

from blobnet.backend import Array
from blobnet.core.layer_type import Arity
from blobnet.core.pairs import Pairs
from blobnet.errors import NetError, ShapeError
from blobnet.layers.hashing._base import CodeLoss
from blobnet.ops.pairs import squared_distances
from blobnet.ops.softmax import sigmoid


class AllPairs(CodeLoss):
    """A loss of the inner products of all codes of a batch, and of the labels that they have in common."""

    num_bottoms: Arity = 2
    unforced_bottoms: tuple[int, ...] = (1,)
    alike: Array  # s_ij (N, N), which forward sets

    def reshape(self, bottom, top):
        super().reshape(bottom, top)
        self.check_rows(bottom)
        if not all(self.rows):
            raise ShapeError(self.where, expected="a batch of at least 1, codes of at least 1 element",
                             got=bottom[0].shape)

    def costs(self, t, alike):
        """log(1 + exp(t)) - s t for every pair, without overflow; t (N, N) numbers, alike (N, N) booleans."""
        xp = self.xp
        return xp.maximum(t, 0) - t * alike + xp.log1p(xp.exp(-xp.abs(t)))

    def cost_slopes(self, t, alike):
        """The derivative of the costs by t, 1 / (1 + exp(-t)) - s."""
        slopes = self.xp.empty_like(t)
        sigmoid(t, slopes)
        slopes -= alike
        return slopes

    def pairs_by(self, slopes, bottom) -> Pairs:
        """The pairs of codes, where `slopes` (N, N) is the derivative of the loss by the squared distance of a pair.

        For a loss of <u_i, u_j>, that is at codes of given lengths: it falls by 1/2 where the squared distance grows by
        1, and a pair is in the loss twice, so it is the derivative by <u_i, u_j> of one place of the pair, negated.
        """
        distances = squared_distances(self.codes(bottom[0].data))
        return Pairs(distances, self.alike, slopes * (1 - self.xp.eye(len(slopes))), None)


class PairLikelihood(AllPairs):
    """How badly the closeness t_ij of two codes tells whether the images are similar (s_ij = 1) or not (s_ij = 0).

    The cost of a pair is -log of the probability of s_ij: log(1 + exp(t_ij)) - s_ij t_ij. A subclass names the
    `fields` of pairwise_param that it reads; a variant names in `field` the one that asks for it.
    """

    options_field = "pairwise_param"
    published_gradient = True
    fields: frozenset[str]
    field = ""

    def setup(self, bottom, top):
        given = {field.name for field, _ in self.options.ListFields()}
        foreign = sorted(given - self.fields - {self.field, "gradient", "engine"})
        if foreign:
            beside = self.field or self.type
            raise NetError(self.where, f"pairwise_param.{foreign[0]} has no meaning beside {beside}")

    def require_columns(self, bottom) -> None:
        """ShapeError for labels that are classes, one a row."""
        if bottom[1].count <= self.rows[0]:
            raise ShapeError(self.where, f"labels {self.param.bottom[1]!r}", got=bottom[1].shape, hint="for one class "
                             "a row set pairwise_param.weighted", expected="one 0/1 column a label, (N, L), L above 1")

    def exact_slopes(self):
        """The derivative of the costs by t for layers whose cost is (1 - s) t where they say so, in `linear`."""
        return self.xp.where(self.linear, ~self.alike, self.cost_slopes(self.t, self.alike))

    def exact(self) -> bool:
        """Whether backward is to be the derivative, instead of what was published."""
        return self.options.gradient == self.options.EXACT
