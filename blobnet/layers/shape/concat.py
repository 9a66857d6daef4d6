"""Concatenation."""

from __future__ import annotations

from blobnet.core.registry import register
from blobnet.core.view_layer import ViewLayer
from blobnet.errors import NetError, ShapeError


@register
class Concat(ViewLayer):
    """Join blobs along an axis.

    y = [x_0, x_1, ...],   dx_i = the part of dy that x_i became

    Bottoms: x_0, x_1, ... (one shape but for the axis)    Tops: y    Params: none
    Options: axis (1; negative from the end) or concat_dim (the old name, not negative); engine (no effect)
    Paper: none.
    Quirks: axis and concat_dim together are refused. The top shares data and diff of a single bottom.
    """

    options_field = "concat_param"
    num_bottoms = (1, None)
    passes_labels = True
    key_options = {"axis": "axis"}

    def setup(self, bottom, top):
        if self.options.HasField("concat_dim") and self.options.HasField("axis"):
            raise NetError(self.where, "has axis and concat_dim", hint="keep axis only")

    def reshape(self, bottom, top):
        axis = self.options.concat_dim if self.options.HasField("concat_dim") else self.options.axis
        self.axis = axis = bottom[0].canonical_axis(axis, self.where)
        shape = list(bottom[0].shape)
        for i, blob in enumerate(bottom[1:], 1):
            if blob.num_axes != len(shape) or any(blob.shape[k] != shape[k] for k in range(len(shape)) if k != axis):
                raise ShapeError(self.where, f"bottom {i} {self.param.bottom[i]!r}",
                                 expected=f"shape {bottom[0].shape} but for axis {axis}", got=blob.shape)
            shape[axis] += blob.shape[axis]
        top[0].reshape(shape)
        if len(bottom) == 1:
            self.share(bottom, top)

    def arithmetic(self):
        return {"kind": "concat", "axis": self.axis}

    def _parts(self, joined, bottom):
        """For each bottom, its part of the joined array."""
        start = 0
        for blob in bottom:
            stop = start + blob.shape[self.axis]
            yield joined[(slice(None),) * self.axis + (slice(start, stop),)]
            start = stop

    def forward(self, bottom, top):
        if len(bottom) > 1:
            for part, blob in zip(self._parts(top[0].data, bottom), bottom):
                part[...] = blob.data

    def backward(self, top, propagate_down, bottom):
        if len(bottom) == 1:
            super().backward(top, propagate_down, bottom)
        else:
            for part, wanted, blob in zip(self._parts(top[0].diff, bottom), propagate_down, bottom):
                if wanted:
                    blob.diff[...] = part
