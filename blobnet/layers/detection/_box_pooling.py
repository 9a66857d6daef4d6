"""What layers share that pool inside of boxes."""

from __future__ import annotations

import numpy as np

from blobnet.backend import to_host
from blobnet.core.layer import Layer
from blobnet.errors import DataError, ShapeError
from blobnet.ops.indices import class_numbers


class BoxPooling(Layer):
    """A layer that pools maps x (N, C, H, W) inside of boxes (R, 5) of [image, x1, y1, x2, y2]."""

    num_bottoms = 2
    unforced_bottoms = (1,)

    def reshape(self, bottom, top):
        x, boxes = (blob.shape for blob in bottom)
        if len(x) != 4:
            raise ShapeError(self.where, expected="maps (N, C, H, W)", got=x)
        if not boxes or bottom[1].count != boxes[0] * 5:
            raise ShapeError(self.where, f"boxes {self.param.bottom[1]!r}", got=boxes,
                             expected="(R, 5): [image, x1, y1, x2, y2] of each box")

    def boxes(self, bottom):
        """The images (R,) and the corners (R, 4) of the boxes, in memory of the host; DataError for no such image."""
        values = to_host(bottom[1].data).reshape(-1, 5)
        images = class_numbers(values[:, 0], self.where, self.param.bottom[1])
        wrong = (images < 0) | (images >= bottom[0].shape[0])
        if wrong.any():
            row = int(wrong.argmax())
            raise DataError(self.where, f"box {row} of {self.param.bottom[1]!r}", got=int(images[row]),
                            expected=f"the number of an image in 0 ... {bottom[0].shape[0] - 1}",
                            hint="the first number of a box says which image of the batch it lies in")
        if not np.isfinite(values).all():
            row = int((~np.isfinite(values)).any(1).argmax())
            raise DataError(self.where, f"box {row} of {self.param.bottom[1]!r}", expected="finite numbers",
                            got=values[row].tolist())
        return images, values[:, 1:]

    def no_gradient_of_boxes(self, propagate_down, bottom):
        """Write 0, as boxes get no gradient, if one is asked for."""
        if propagate_down[1]:
            bottom[1].diff.fill(0)


def rounded(values):
    """`values`, rounded to whole numbers, halves away from 0."""
    whole = np.trunc(values)
    return whole + (abs(values - whole) >= 0.5) * np.sign(values)


def edges(step, bins, first=0):
    """Where bins begin and end, (R, bins, 2), whole numbers: bin k goes from first + k step, rounded down, to before
    first + (k + 1) step, rounded up; step and first (R, 1)."""
    k = np.arange(bins + 1, dtype=step.dtype) * step + first
    return np.stack([np.floor(k[:, :-1]), np.ceil(k[:, 1:])], axis=-1)


def within(places, size):
    """`places`, as integers in 0 ... size; 0 for those that are no numbers, as a scale of 1e38 makes them."""
    return np.clip(np.nan_to_num(places), 0, size).astype(int)
