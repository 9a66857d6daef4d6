"""What Bias and Scale share: how a blob spreads along some axes of another."""

from __future__ import annotations

from blobnet.backend import folded
from blobnet.core.layer import Layer
from blobnet.errors import NetError, ShapeError
from blobnet.layers.weighted._along_terms import along_terms


class AlongAxes(Layer):
    """The common part of Bias and Scale: x meets a second blob, a bottom or a parameter, that has some axes of x.

    `grouped` is the shape (outer, count, inner) of x seen from the axes that the second blob has. A subclass writes
    setup, forward and backward.
    """

    num_bottoms = (1, 2)
    in_place = keeps_coordinates = True

    def learned_shape(self, x) -> tuple[int, ...]:
        """The shape of a learned second blob: num_axes axes of x from `axis` on, or all of them (-1)."""
        axis, num_axes = x.canonical_axis(self.options.axis, self.where), self.options.num_axes
        if num_axes < -1:
            raise NetError(self.where, expected="num_axes at least 0, or -1 for all", got=num_axes)
        if axis + num_axes > x.num_axes:
            raise ShapeError(self.where, expected=f"at least {num_axes} axes from axis {axis} on", got=x.shape,
                             hint="lower num_axes, or write -1")
        return x.shape[axis:] if num_axes == -1 else x.shape[axis:axis + num_axes]

    def second(self, bottom):
        return bottom[1] if len(bottom) == 2 else self.blobs[0]

    def terms(self, place, bottom, top):
        return along_terms(self.arithmetic(), place, bottom, top, self.blobs)

    def reshape(self, bottom, top):
        x, shape = bottom[0], self.second(bottom).shape
        axis = x.canonical_axis(self.options.axis, self.where) if shape else 0
        if x.shape[axis:axis + len(shape)] != shape:
            kind = "bottom 1" if len(bottom) == 2 else "parameter 0"
            raise ShapeError(self.where, f"{kind} has shape {shape}", got=x.shape,
                             expected=f"a bottom 0 that has it from axis {axis} on", hint="axis is where it begins")
        self.grouped = folded(x.shape, axis, axis + len(shape))
        top[0].reshape(x.shape)
