"""What layers share that cut a part out of a blob."""

from __future__ import annotations

from blobnet.core.moving_layer import MovingLayer


class Cropping(MovingLayer):
    """The top is `part` of the first bottom, an index that reshape makes; of the second bottom only sizes count."""

    options_field = "crop_param"
    num_bottoms = 2
    size_bottoms = (1,)

    def forward(self, bottom, top):
        top[0].data[...] = bottom[0].data[self.part]

    def backward(self, top, propagate_down, bottom):
        for blob, wanted in zip(bottom, propagate_down):
            if wanted:
                blob.diff.fill(0)
        if propagate_down[0]:
            bottom[0].diff[self.part] = top[0].diff
