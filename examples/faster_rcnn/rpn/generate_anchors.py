"""The anchors of a region proposal network: Ren et al., Faster R-CNN, NIPS 2015, section 3.1.1."""

import numpy as np


def generate_anchors(base_size: int = 16, ratios=(0.5, 1, 2), scales=(8, 16, 32)) -> np.ndarray:
    """(A, 4): boxes of every ratio of height to width, and for each of every scale, around the middle of the square of
    base_size pixels at the corner of the image.

    The square of every ratio has about base_size^2 pixels: w = round(sqrt(base_size^2 / r)), h = round(r w). Halves are
    rounded to even numbers.

    >>> generate_anchors(16, [1], [1, 2]).tolist()
    [[0.0, 0.0, 15.0, 15.0], [-8.0, -8.0, 23.0, 23.0]]
    """
    ratios = np.asarray(ratios, np.float64)
    widths = np.round(np.sqrt(base_size ** 2 / ratios))
    sizes = np.stack([widths, np.round(widths * ratios)], axis=1)[:, None] * np.reshape(scales, (-1, 1))
    sizes = sizes.reshape(-1, 2) - 1
    middle = (base_size - 1) / 2
    return np.concatenate([middle - sizes / 2, middle + sizes / 2], axis=1)


def anchor_grid(anchors: np.ndarray, height: int, width: int, stride: int) -> np.ndarray:
    """(height, width, A, 4): the anchors at every place of a map, whose neighbours are `stride` pixels apart."""
    places = np.stack(np.meshgrid(np.arange(width), np.arange(height)), axis=-1) * stride
    return np.concatenate([places, places], axis=-1)[:, :, None] + anchors
