"""Where a window with context around it lies in an image, and where it goes in a square crop (R-CNN)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike

from blobnet.errors import DataError


class Placement(NamedTuple):
    """The part of the image to take, [y1, y2) x [x1, x2), the size it is resized to, and where that goes."""

    y1: int
    y2: int
    x1: int
    x2: int
    height: int
    width: int
    pad_y: int
    pad_x: int


def place_window(window: Sequence[int] | np.ndarray, image: tuple[int, int], crop_size: int, context_pad: int = 0,
                 square: bool = False, flip: bool = False, dtype: DTypeLike = np.float32,
                 where: str = "window") -> Placement:
    """Where to find `window`, the corners x1, y1, x2, y2 (both inside), in an image of size (H, W).

    Without context_pad and square the window fills the crop. With them it is made larger, by `context_pad` pixels of
    the crop on every side, or to the smallest square around it; what then lies outside the image stays empty in the
    crop. `flip` says that the part will be mirrored. Numbers are of the type `dtype`, and halves are rounded away from
    zero. DataError if nothing of the window is left.
    """
    (x1, y1, x2, y2), (rows, columns) = map(int, window), image
    real: Any = np.dtype(dtype).type
    height = width = crop_size
    pad_y = pad_x = 0
    if context_pad or square:
        scale = real(crop_size) / real(crop_size - 2 * context_pad)
        half_y, half_x = real((y2 - y1 + 1) / 2), real((x2 - x1 + 1) / 2)
        y, x = real(y1) + half_y, real(x1) + half_x
        if square:
            half_y = half_x = max(half_y, half_x)
        x1, x2 = _round(x - half_x * scale), _round(x + half_x * scale)
        y1, y2 = _round(y - half_y * scale), _round(y + half_y * scale)
        scale_y, scale_x = real(crop_size) / real(y2 - y1 + 1), real(crop_size) / real(x2 - x1 + 1)
        above, below, before, behind = max(0, -y1), max(0, y2 - rows + 1), max(0, -x1), max(0, x2 - columns + 1)
        y1, y2, x1, x2 = y1 + above, y2 - below, x1 + before, x2 - behind
        pad_y, pad_x = _round(real(above) * scale_y), _round(real(behind if flip else before) * scale_x)
        height = min(_round(real(y2 - y1 + 1) * scale_y), crop_size - pad_y)
        width = min(_round(real(x2 - x1 + 1) * scale_x), crop_size - pad_x)
    if not (0 <= x1 <= x2 < columns and 0 <= y1 <= y2 < rows and height > 0 and width > 0):
        raise DataError(where, expected=f"a window in an image of {rows} x {columns}",
                        got="x1 y1 x2 y2 = {} {} {} {}".format(*map(int, window)))
    return Placement(y1, y2 + 1, x1, x2 + 1, height, width, pad_y, pad_x)


def _round(value: float) -> int:
    return int(math.copysign(math.floor(abs(float(value)) + 0.5), value))
