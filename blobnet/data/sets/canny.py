"""Edge maps after Canny: photos as line drawings."""

from __future__ import annotations

import math

import numpy as np

SIGMA = 2.0     # of the smoothing, pixels
BLACK = 90      # percentile of the slopes along edges that is drawn black
FAINTEST = 4.0  # grey levels a pixel; where all slopes are smaller, noise stays pale
NARROW = float(np.float32(math.sqrt(2) - 1))  # tan 22.5 degrees; a float32, so that its products with these are exact
STEPS = ((0, 1), (1, 1), (1, 0), (1, -1))  # rows and columns to the next pixel at 0, 45, 90 and 135 degrees


def edge_map(gray: np.ndarray) -> np.ndarray:
    """The edges in the gray image (H, W), uint8: lines of one pixel on white (255), the darker the steeper.

    The slope of the smoothed image is kept where it is larger than at the two neighbours across the edge.
    Directions and steepest places are found by comparing squares and products, without any function whose last bit
    depends on the processor.
    Source: Canny, A Computational Approach to Edge Detection, PAMI 1986, without its thresholds.
    """
    down, right = (slope.astype(np.float64) for slope in np.gradient(_smooth(gray.astype(np.float32))))
    slope = down * down + right * right  # its root would round neighbours to one number, on some machines
    angle = _direction(down, right)
    around = np.pad(slope, 1)
    height, width = slope.shape
    keep = np.zeros(slope.shape, bool)
    for direction, (y, x) in enumerate(STEPS):
        ahead = around[1 + y:1 + y + height, 1 + x:1 + x + width]
        behind = around[1 - y:1 - y + height, 1 - x:1 - x + width]
        keep |= (angle == direction) & (slope >= ahead) & (slope > behind)
    slope = np.sqrt(slope)
    black = max(FAINTEST, np.percentile(slope[keep], BLACK) if keep.any() else 0)
    return np.where(keep, 255 - 255 * np.minimum(slope / black, 1), 255).astype(np.uint8)


def _direction(down: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Which of STEPS each slope is nearest to; 0 where there is none."""
    level, upright = np.abs(down) <= NARROW * np.abs(right), np.abs(right) < NARROW * np.abs(down)
    return np.where(level, 0, np.where(upright, 2, np.where((down > 0) == (right > 0), 1, 3)))


def _smooth(image: np.ndarray) -> np.ndarray:
    """`image` under a Gaussian, its border continued."""
    reach = range(-round(3 * SIGMA), round(3 * SIGMA) + 1)
    weights = np.array([math.exp(-0.5 * (step / SIGMA) ** 2) for step in reach])
    weights /= weights.sum()
    for axis, length in enumerate(image.shape):
        padded = np.pad(image, [(len(reach) // 2,) * 2 if other == axis else (0, 0) for other in (0, 1)], "edge")
        parts = [np.float32(w) * padded.take(np.arange(i, i + length), axis) for i, w in enumerate(weights)]
        image = np.asarray(sum(parts))
    return image
