"""Positions of the greatest values."""

from __future__ import annotations

from blobnet.backend import folded
from blobnet.core.layer import Layer
from blobnet.core.registry import register
from blobnet.core.terms import Factor, Place, Terms, reindexed
from blobnet.errors import NetError, ShapeError


@register
class ArgMax(Layer):
    """Find the greatest values of every row, or along an axis.

    y_n0k = i_k, the place of the k-th greatest of x_n0, x_n1, ...,   and with out_max_val y_n1k = x_n(i_k)

    Bottoms: x (N, C, H, W)
    Tops: y (N, 1, K, 1): places in the row of C*H*W; (N, 2, K, 1) with out_max_val: places, then values; with axis: as
    x but K long on that axis, places along it, or values (only) with out_max_val
    Params: none
    Options: top_k K (1), out_max_val (false), axis (none, a whole row; negative from the end)
    Paper: none.
    Quirks: of equal values the later one comes first. y has as many axes as x, but without axis no fewer than 3. Places
    are stored as numbers of the blob's type, so float32 rounds those above 2^24. Has no backward; force_backward skips
    it.
    """

    options_field = "argmax_param"
    unforced_bottoms = (0,)

    def setup(self, bottom, top):
        if self.options.top_k < 1:
            raise NetError(self.where, expected="top_k of at least 1", got=self.options.top_k)

    def reshape(self, bottom, top):
        shape, k = bottom[0].shape, self.options.top_k
        if not shape:
            raise ShapeError(self.where, expected="a bottom of at least one axis", got=shape)
        if self.options.HasField("axis"):
            axis = bottom[0].canonical_axis(self.options.axis, self.where)
            self.grouped = folded(shape, axis, axis + 1)
            top_shape = (*shape[:axis], k, *shape[axis + 1:])
        else:
            self.grouped = *folded(shape, 1), 1
            top_shape = (shape[0], 2 if self.options.out_max_val else 1, k, *(1,) * (len(shape) - 3))
        if k > self.grouped[1]:
            raise ShapeError(self.where, got=k,
                             expected=f"top_k at most the {self.grouped[1]} values of {shape} to choose from")
        top[0].reshape(top_shape)

    def _places(self, x):
        """Of x (outer, C, inner), the places of the K greatest along axis 1, the greatest first."""
        last, backwards = x.shape[1] - 1, x[:, ::-1]  # backwards, because of equal values the later one is wanted
        if self.options.top_k == 1:
            return last - backwards.argmax(axis=1)[:, None]
        return x.argsort(axis=1, kind="stable")[:, ::-1][:, :self.options.top_k]

    def terms(self, place, bottom, top):
        if place.kind != "top":
            return super().terms(place, bottom, top)
        along, values = self.options.HasField("axis"), self.options.out_max_val
        parts = 1 if along else 1 + values  # places, then values
        outer, part, k, inner = reindexed(place.index, top[0].shape, (
            self.grouped[0], parts, self.options.top_k, self.grouped[2]))
        position = int(self._places(bottom[0].data.reshape(self.grouped))[outer, k, inner])
        source = Place("bottom", 0, "data", reindexed((outer, position, inner), self.grouped, bottom[0].shape))
        words = f"number {k + 1} of the greatest, at place {position}" if k else f"the greatest, at place {position}"
        if values and (along or part):
            return Terms(place, [(Factor(float(bottom[0].data[source.index]), source),)], words)
        return Terms(place, [(Factor(float(position), source, "its place"),)], words)

    def forward(self, bottom, top):
        x = bottom[0].data.reshape(self.grouped)
        places = self._places(x)
        if not self.options.out_max_val:
            top[0].data[...] = places.reshape(top[0].shape)
            return
        values = self.xp.take_along_axis(x, places, axis=1)
        if self.options.HasField("axis"):
            top[0].data[...] = values.reshape(top[0].shape)
        else:
            y = top[0].data.reshape(len(x), 2, self.options.top_k)
            y[:, 0], y[:, 1] = places[:, :, 0], values[:, :, 0]
