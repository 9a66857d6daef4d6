"""What the losses of YOLOv2 and YOLOv3 share: the shapes of their bottoms, and true boxes from two forms of labels."""

from __future__ import annotations

import math

from blobnet.backend import to_host
from blobnet.core.loss_layer import LossLayer
from blobnet.errors import ShapeError
from blobnet.layers.detection._regions import LIST_ROW, Truth, is_ssd, true_boxes


class RegionLayer(LossLayer):
    """A loss of the numbers that num anchors of every cell predict, (N, num (5 + num_class), H, W)."""

    published_gradient = True

    def reshape(self, bottom, top):
        shape, labels, channels = bottom[0].shape, bottom[1].shape, self.options.num * (5 + self.options.num_class)
        if len(shape) != 4 or shape[1] != channels or not shape[2] * shape[3]:
            raise ShapeError(self.where, expected=f"predictions (N, {channels}, H, W), of {self.options.num} anchors",
                             got=shape)
        self.as_ssd = is_ssd(labels)
        if not self.as_ssd and (labels[:1] != shape[:1] or math.prod(labels[1:]) % LIST_ROW):
            raise ShapeError(self.where, expected=f"labels ({shape[0]}, ...) of 5 numbers a box, or (1, 1, G, 8)",
                             got=labels)
        top[0].reshape(())

    def true_boxes(self, bottom) -> Truth:
        """Those of the second bottom; DataError for what is none."""
        return true_boxes(to_host(bottom[1].data), bottom[0].shape[0], self.options.num_class, self.where)

    def write_diff(self, bottom, dx, factor) -> None:
        """Write dx (N, H, W, A, 5 + C), on the host, times `factor`, on the device, into the first bottom's diff."""
        bottom[0].diff[...] = (self.xp.asarray(dx.transpose(0, 3, 4, 1, 2)) * factor).reshape(bottom[0].shape)
