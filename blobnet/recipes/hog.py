"""HOG, histograms of oriented gradients: features of an image that need no training."""

from __future__ import annotations

import math

import numpy as np

from blobnet.errors import ShapeError


def gradient_histograms(image: np.ndarray, cells: int = 8, bins: int = 8) -> np.ndarray:
    """How much slope of which direction there is in each of cells x cells parts of the image (H, W).

    Returns (cells * cells * bins,) float32 of length 1: the square root of the sum of slopes a part and a direction of
    180 / bins degrees; zeros for an image without slopes. ShapeError for a side that is no multiple of `cells`.
    Bin k has the directions from k * 180 / bins degrees, inclusive, to those of bin k + 1, exclusive. Bins are found by
    comparisons, without any function whose last bit depends on the processor: the features are the same everywhere.
    Source: the orientation cells of Dalal and Triggs, Histograms of Oriented Gradients for Human Detection, CVPR 2005,
    without their blocks.
    """
    height, width = image.shape
    if height % cells or width % cells:
        raise ShapeError("gradient histograms", expected=f"sides that are multiples of {cells}", got=image.shape)
    down, right = (np.asarray(slope, np.float64) for slope in np.gradient(image.astype(np.float32)))
    part = np.arange(height)[:, None] * cells // height * cells + np.arange(width) * cells // width
    sums = np.bincount((part * bins + direction_bins(down, right, bins)).ravel(),
                       np.sqrt(down * down + right * right).ravel(), cells * cells * bins)
    features = np.sqrt(sums)
    return (features / max(np.sqrt(sums.sum()), 1e-12)).astype(np.float32)


def direction_bins(down: np.ndarray, right: np.ndarray, bins: int) -> np.ndarray:
    """The number of the bin of 180 / bins degrees that each direction falls into; opposite directions are the same.

    `down` and `right` are float64 that hold float32 numbers. An edge between two bins is a direction whose cosine and
    sine are float32, exact at multiples of 45 degrees: its products with them are exact, and so is their comparison.
    """
    upwards = (down < 0) | ((down == 0) & (right < 0))
    down, right = np.where(upwards, -down, down), np.where(upwards, -right, right)
    found = np.zeros(down.shape, int)
    for k in range(1, bins):
        x, y = _edge(k, bins)
        found += (x * down >= y * right) & ((down != 0) | (right != 0))
    return found


def _edge(k: int, bins: int) -> tuple[float, float]:
    """The direction of k * 180 / bins degrees."""
    if 4 * k % bins == 0:
        return ((1.0, 0.0), (1.0, 1.0), (0.0, 1.0), (-1.0, 1.0))[4 * k // bins]
    angle = math.pi * k / bins
    return float(np.float32(math.cos(angle))), float(np.float32(math.sin(angle)))
