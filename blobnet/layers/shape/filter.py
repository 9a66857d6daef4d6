"""Filtering of rows."""

from __future__ import annotations

from blobnet.core.moving_layer import MovingLayer
from blobnet.core.registry import register
from blobnet.errors import NetError, ShapeError


@register
class Filter(MovingLayer):
    """Let through the rows of a batch that a selector marks.

    y_i = the rows n of x_i with s_n != 0, in order,   dx_i[n] = dy_i of that row if s_n != 0, else 0

    Bottoms: x_0, x_1, ... (N, ...), one or more; last the selector s (N,), or (N, 1, ...)
    Tops: y_0, y_1, ... (M, ...), one for each x_i, with M the number of rows marked
    Params: none
    Paper: none.
    Quirks: M changes from pass to pass and may be 0. When the net is built the tops have all N rows, whatever the
    selector holds. There is no gradient for the selector.
    """

    num_bottoms = (2, None)
    num_tops = (1, None)
    reshape_always = True

    def setup(self, bottom, top):
        if len(top) != len(bottom) - 1:
            raise NetError(self.where, expected=f"a top for every bottom but the selector ({len(bottom) - 1})",
                           got=len(top))
        self.unforced_bottoms = (len(top),)
        self.built = False

    def reshape(self, bottom, top):
        selector = bottom[-1]
        rows = selector.shape[:1]
        if not rows or selector.count != rows[0]:
            raise ShapeError(self.where, f"selector {self.param.bottom[len(top)]!r}", expected="one number a row, (N,)",
                             got=selector.shape)
        for i, blob in enumerate(bottom[:-1]):
            if blob.shape[:1] != rows:
                raise ShapeError(self.where, f"bottom {i} {self.param.bottom[i]!r}",
                                 expected=f"{rows[0]} rows, as the selector has", got=blob.shape)
        self.rows = self.xp.flatnonzero(selector.data)
        for x, y in zip(bottom, top):
            y.reshape((len(self.rows) if self.built else rows[0], *x.shape[1:]))
        self.built = True

    def forward(self, bottom, top):
        for x, y in zip(bottom, top):
            y.data[...] = x.data[self.rows]

    def backward(self, top, propagate_down, bottom):
        self.refuse_targets(propagate_down)
        for x, y, wanted in zip(bottom, top, propagate_down):
            if wanted:
                x.diff.fill(0)
                x.diff[self.rows] = y.diff
