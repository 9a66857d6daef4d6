"""Histograms of gradients: features of an image that nobody has to train."""

from __future__ import annotations

import numpy as np

from blobnet.errors import ShapeError


def gradient_histograms(image: np.ndarray, cells: int = 8, bins: int = 8) -> np.ndarray:
    """How much slope of which direction there is in each of cells x cells parts of the image (H, W).

    Returns (cells * cells * bins,) float32 of length 1: the square root of the sum of slopes a part and a direction of
    180 / bins degrees; zeros for an image without slopes. ShapeError for a side that is no multiple of `cells`.
    Source: the orientation cells of Dalal and Triggs, Histograms of Oriented Gradients for Human Detection, CVPR 2005,
    without their blocks.
    """
    height, width = image.shape
    if height % cells or width % cells:
        raise ShapeError("gradient histograms", expected=f"sides that are multiples of {cells}", got=image.shape)
    down, right = np.gradient(image.astype(np.float32))
    direction = (np.arctan2(down, right) % np.pi * (bins / np.pi)).astype(int) % bins
    part = np.arange(height)[:, None] * cells // height * cells + np.arange(width) * cells // width
    sums = np.bincount((part * bins + direction).ravel(), np.hypot(down, right).ravel(), cells * cells * bins)
    features = np.sqrt(sums)
    return (features / max(np.sqrt(sums.sum()), 1e-12)).astype(np.float32)
