"""Resizer: images resized as resize_param says, and their boxes with them (SSD)."""

from __future__ import annotations

import numpy as np
from google.protobuf.message import Message

from blobnet.data.images.resize import resize
from blobnet.errors import DataError, NetError

Size = tuple[int, int]  # height, width


class Resizer:
    """Resizes uint8 images to one size. NetError for options that blobnet has not."""

    def __init__(self, param: Message, where: str = "resize_param"):
        self.param, self.where = param, where
        if param.prob != 1:
            raise NetError(where, expected="prob 1 in resize_param", got=f"{param.prob:g}",
                           hint="all images are resized")
        if param.resize_mode != param.WARP:
            raise NetError(where, expected="resize_mode WARP", got=type(param).Resize_mode.Name(param.resize_mode),
                           hint="no other is here")
        other = [type(param).Interp_mode.Name(mode) for mode in param.interp_mode if mode != param.LINEAR]
        if other:
            raise NetError(where, expected="interp_mode LINEAR", got=" and ".join(other), hint="no other is here")
        if not param.height or not param.width:
            raise NetError(where, expected="height and width above 0 in resize_param",
                           got=f"{param.height} x {param.width}")

    def size(self, old: Size) -> Size:
        """The size that an image of `old` size gets."""
        return self.param.height, self.param.width

    def __call__(self, image: np.ndarray) -> np.ndarray:
        """The image (C, H, W) resized; DataError for others than uint8."""
        if image.dtype != np.uint8:
            raise DataError(self.where, expected="uint8 images to resize", got=str(image.dtype),
                            hint="leave resize_param out")
        return resize(image, *self.size(image.shape[1:]))

    @np.errstate(over="ignore", invalid="ignore")  # boxes of a stranger may be huge
    def boxes(self, boxes: np.ndarray, old: Size) -> np.ndarray:
        """The boxes (B, 4) of an image of `old` size, parts of it, as parts of the resized one."""
        before, after = (np.array([width, height] * 2, np.float32) for height, width in (old, self.size(old)))
        corners = boxes * before * after / before
        return np.concatenate([np.maximum(0, corners[:, :2]), np.minimum(after[2:], corners[:, 2:])], axis=1) / after
