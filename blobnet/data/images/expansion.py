"""Expansion: images made parts of larger ones, as expand_param says (SSD)."""

from __future__ import annotations

import math

import numpy as np
from google.protobuf.message import Message

from blobnet.errors import NetError, ShapeError
from blobnet.proto.budget import require

NEARLY = 0.01  # a ratio that is nearer to 1 changes nothing


class Expansion:
    """Puts each image, or a part `prob` of them, at a random place of a larger one, up to max_expand_ratio times as
    high and wide, whose other pixels have the mean values, or 0.

    NetError for a ratio of 1 and below, and for a mean file.
    """

    def __init__(self, param: Message, transform: Message, where: str = "expand_param"):
        self.param, self.where, self.means = param, where, np.array(transform.mean_value or [0])
        if not 1 < param.max_expand_ratio < math.inf:
            raise NetError(where, expected="max_expand_ratio above 1", got=f"{param.max_expand_ratio:g}")
        if transform.mean_file:
            raise NetError(where, "expand_param goes with mean_value only", hint="write mean_value, not mean_file")

    def __call__(self, image: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray | None]:
        """The larger image (C, H', W'), and its corners in parts of the image (C, H, W), which reach out of it: the
        window (4,) that objects are to be projected into. The image itself and None where nothing is drawn."""
        if rng.random() > self.param.prob or self.param.max_expand_ratio - 1 < NEARLY:
            return image, None
        ratio = np.float32(rng.uniform(1, self.param.max_expand_ratio))
        channels, *old = image.shape
        if len(self.means) not in (1, channels):
            raise ShapeError(self.where, expected=f"one mean_value or one a channel ({channels})", got=len(self.means))
        height, width = (int(side * ratio) for side in old)
        require(channels * height * width, self.where, f"an image of {height} x {width}", image.nbytes)
        top, left = (int(rng.uniform(0, new - side)) for new, side in zip((height, width), old))
        larger = np.empty((channels, height, width), np.uint8)
        larger[...] = np.rint(self.means).clip(0, 255).reshape(-1, 1, 1)
        larger[:, top:top + old[0], left:left + old[1]] = image
        corners = np.array([-left, -top, width - left, height - top], np.float32)
        return larger, corners / np.array([old[1], old[0]] * 2, np.float32)
