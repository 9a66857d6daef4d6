"""An object on a plain background, cut out of its image (center_object of Mishkin's fork of Caffe)."""

from __future__ import annotations

import numpy as np

from blobnet.data.images.colors import require_color, to_gray

MARGIN = 2  # pixels around the object


def object_part(image: np.ndarray, where: str = "center_object") -> np.ndarray:
    """The part of the uint8 image (C, H, W) in which the object is, if the image has an edge of one kind all around.

    Kinds are dark and bright, told apart by Otsu's threshold. DataError for other numbers of channels than 1 and 3.
    Quirks, as in the fork: the edge is the first row and column and the last but one; the part reaches to the pixel
    behind the object, and where there is room, it begins 2 pixels before the object without becoming larger for that,
    and ends 2 further.
    """
    if len(image) > 1:
        require_color(image, where)
        image_gray = to_gray(image)[0]
    else:
        image_gray = image[0]
    bright = image_gray > otsu(image_gray)
    other = bright != bright[0, 0]
    height, width = other.shape
    if min(height, width) < 2 or other[[0, -2]].any() or other[:, [0, -2]].any() or not other[:-1, :-1].any():
        return image
    bottom = int(np.flatnonzero(other[:-1].any(axis=1))[-1]) + 2
    right = int(np.flatnonzero(other[:bottom, :-1].any(axis=0))[-1]) + 2
    top = int(np.flatnonzero(other[:, :right].any(axis=1))[0])
    left = int(np.flatnonzero(other[top:bottom].any(axis=0))[0])
    rows, columns = (_padded(begin, end - begin, size) for begin, end, size in (
        (top, bottom, height), (left, right, width)))
    return image[:, rows, columns]


def _padded(begin: int, count: int, size: int) -> slice:
    begin -= MARGIN * (begin > MARGIN)
    return slice(begin, begin + count + MARGIN * (begin + count + MARGIN < size))


def otsu(plane: np.ndarray) -> int:
    """The threshold that tells dark values of a uint8 plane (up to it) from bright ones: the variance between the two
    kinds is largest (Otsu, 1979); the least one, and 0 for a plane of one value.

    >>> otsu(np.array([[10, 10, 200, 210]], np.uint8))
    10
    """
    shares = np.bincount(plane.ravel(), minlength=256) / plane.size
    dark = np.cumsum(shares)
    weighted = np.cumsum(shares * np.arange(256))
    tiny = np.finfo(np.float32).eps
    both = (np.minimum(dark, 1 - dark) >= tiny)
    low, high = weighted[both] / dark[both], (weighted[-1] - weighted[both]) / (1 - dark[both])
    between = dark[both] * (1 - dark[both]) * (low - high)**2
    return int(np.flatnonzero(both)[between.argmax()]) if between.size else 0
