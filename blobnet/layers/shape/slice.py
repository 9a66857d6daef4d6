"""Slicing."""

from __future__ import annotations

from itertools import pairwise

from blobnet.core.registry import register
from blobnet.core.view_layer import ViewLayer
from blobnet.errors import NetError, ShapeError


@register
class Slice(ViewLayer):
    """Cut a blob into several along an axis.

    [y_0, y_1, ...] = x,   dx = [dy_0, dy_1, ...]

    Bottoms: x    Tops: y_0, y_1, ... (as x but for the axis)    Params: none
    Options: axis (1; negative from the end) or slice_dim (the old name), slice_point (where to cut, one less than
    there are tops; without it the parts are equal)
    Paper: none.
    Quirks: axis and slice_dim together are refused. A last slice_point at the end leaves the last top empty. A single
    top shares data and diff of the bottom.
    """

    options_field = "slice_param"
    num_tops = (1, None)
    passes_labels = True
    key_options = {"axis": "axis"}

    def setup(self, bottom, top):
        if self.options.HasField("slice_dim") and self.options.HasField("axis"):
            raise NetError(self.where, "has axis and slice_dim", hint="keep axis only")

    def reshape(self, bottom, top):
        axis = self.options.slice_dim if self.options.HasField("slice_dim") else self.options.axis
        self.axis = axis = bottom[0].canonical_axis(axis, self.where)
        size, points = bottom[0].shape[axis], list(self.options.slice_point)
        if points:
            if len(points) != len(top) - 1:
                raise NetError(self.where, expected=f"{len(top) - 1} slice points for {len(top)} tops", got=len(points))
            edges = [0, *points, size]
            rising = all(a < b for a, b in pairwise(edges[:-1]))
            if not rising or points[-1] > size or len(top) > size:  # Caffe has no more tops than places
                raise ShapeError(self.where, got=points, expected=f"slice points that rise within 0 and {size} "
                                 f"(axis {axis} of {bottom[0].shape})")
        else:
            if size % len(top):
                raise ShapeError(self.where, expected=f"axis {axis} to be a multiple of the {len(top)} tops",
                                 got=bottom[0].shape, hint="give slice_point")
            edges = list(range(0, size + 1, size // len(top))) if size else [0] * (len(top) + 1)
        self.spans = [(slice(None),) * axis + (slice(a, b),) for a, b in pairwise(edges)]
        for blob, (a, b) in zip(top, pairwise(edges), strict=True):
            blob.reshape((*bottom[0].shape[:axis], b - a, *bottom[0].shape[axis + 1:]))
        if len(top) == 1:
            self.share(bottom, top)

    def arithmetic(self):
        return {"kind": "slice", "axis": self.axis, "points": [span[-1].start for span in self.spans]}

    def forward(self, bottom, top):
        if len(top) > 1:
            for blob, span in zip(top, self.spans):
                blob.data[...] = bottom[0].data[span]

    def backward(self, top, propagate_down, bottom):
        if len(top) == 1:
            super().backward(top, propagate_down, bottom)
        elif propagate_down[0]:
            for blob, span in zip(top, self.spans):
                bottom[0].diff[span] = blob.diff
