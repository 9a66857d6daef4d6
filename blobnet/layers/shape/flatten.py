"""Flattening."""

from __future__ import annotations

import math

from blobnet.core.registry import register
from blobnet.core.view_layer import ViewLayer
from blobnet.errors import ShapeError


@register
class Flatten(ViewLayer):
    """Merge neighbouring axes into one; no number moves.

    y = x,   dx = dy

    Bottoms: x (N, C, H, W)    Tops: y (N, C*H*W)    Params: none
    Options: axis (1) to end_axis (-1), the first and last axis to merge
    Paper: none.
    Quirks: the top shares data and diff of the bottom. (Caffe's backward lets the bottom take the diff of the top, so
    that a Parameter below never learns.) An end_axis just before axis puts in an axis of size 1.
    """

    options_field = "flatten_param"
    passes_labels = True

    def reshape(self, bottom, top):
        first = bottom[0].canonical_axis(self.options.axis, self.where)
        last = bottom[0].canonical_axis(self.options.end_axis, self.where)
        if last + 1 < first:
            raise ShapeError(self.where, expected=f"end_axis not before axis {first}", got=last)
        shape = bottom[0].shape
        top[0].reshape((*shape[:first], math.prod(shape[first:last + 1]), *shape[last + 1:]))
        self.share(bottom, top)
