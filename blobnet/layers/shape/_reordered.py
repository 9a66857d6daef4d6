"""What layers share whose top has the axes of the bottom in another order."""

from __future__ import annotations

from blobnet.core.moving_layer import MovingLayer
from blobnet.errors import NetError


class Reordered(MovingLayer):
    """Axis k of the top is axis order[k] of the bottom. A subclass finds `order` in its reshape and calls this one."""

    order: list[int]

    def reshape(self, bottom, top):
        self.back = sorted(range(len(self.order)), key=self.order.__getitem__)  # the order that undoes it
        top[0].reshape([bottom[0].shape[axis] for axis in self.order])

    def refuse_unless_axes(self, axes, shape, field: str) -> None:
        """NetError if `axes` names an axis twice or one that a blob of `shape` has not."""
        if len(set(axes)) < len(axes) or not all(0 <= axis < len(shape) for axis in axes):
            raise NetError(self.where, expected=f"{field} with different axes in 0 ... {len(shape) - 1} of {shape}",
                           got=axes)

    def forward(self, bottom, top):
        top[0].data[...] = bottom[0].data.transpose(self.order)

    def backward(self, top, propagate_down, bottom):
        if propagate_down[0]:
            bottom[0].diff[...] = top[0].diff.transpose(self.back)
