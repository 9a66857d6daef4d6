"""The ways to resize an image that OpenCV has names for."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from blobnet.data.images.resize import ONE, bilinear, places, resize, resize_nearest

SHIFT = 22    # of two weights in units of 1 / ONE
LEAST = 1e-3  # parts of a pixel that AREA leaves out


def area(image: np.ndarray, height: int, width: int) -> np.ndarray:
    """AREA: the mean of the old pixels under a new one, in float32; where a side grows, nearly NEAREST."""
    scales = [1 / (new / old) for old, new in zip(image.shape[1:], (height, width))]
    if min(scales) < 1:
        across, down = (_enlarged(old, new) for old, new in zip(image.shape[:0:-1], (width, height)))
        return bilinear(image, across, down)
    if all(scale == round(scale) for scale in scales):
        m, n = map(round, scales)
        parts = image[:, :height * m, :width * n].reshape(len(image), height, m, width, n)
        sums = parts.sum(axis=(2, 4), dtype=np.int32)
        if (m, n) == (2, 2):
            return (sums + 2 >> 2).astype(np.uint8)
        return _bytes(sums.astype(np.float32) * np.float32(1 / (m * n)))
    narrow = _weighted(image, _covered(image.shape[2], width, scales[1]), 2)
    return _bytes(_weighted(narrow, _covered(image.shape[1], height, scales[0]), 1))


def cubic(image: np.ndarray, height: int, width: int) -> np.ndarray:
    """CUBIC: four pixels along each axis, by the cubic with the parameter -3/4."""
    return _bytes(_by_taps(image, height, width, _cubic_weights) / (1 << SHIFT))


def lanczos(image: np.ndarray, height: int, width: int) -> np.ndarray:
    """LANCZOS4: eight pixels along each axis, by the window of Lanczos."""
    sums = _by_taps(image, height, width, _lanczos_weights)
    return (sums + (1 << SHIFT - 1) >> SHIFT).clip(0, 255).astype(np.uint8)


RESIZE: dict[str, Callable[[np.ndarray, int, int], np.ndarray]] = {
    "LINEAR": resize, "AREA": area, "NEAREST": resize_nearest, "CUBIC": cubic, "LANCZOS4": lanczos}


def resize_by(image: np.ndarray, height: int, width: int, interpolation: str) -> np.ndarray:
    """The uint8 image (C, H, W) resized to (C, height, width) as OpenCV does it.

    `interpolation` is LINEAR, AREA, NEAREST, CUBIC or LANCZOS4.
    Quirk: CUBIC and LANCZOS4 may differ from OpenCV by 1, in one of 10,000 numbers, since it has more than one way to
    compute them. ShapeError as for `resize`.

    >>> resize_by(np.array([[[0, 90, 60, 30]]], np.uint8), 1, 2, "AREA").tolist()
    [[[45, 45]]]
    """
    if image.shape[1:] == (height, width) or min(*image.shape[1:], height, width) < 1:
        return resize(image, height, width)
    return RESIZE[interpolation](image, height, width)


def _bytes(values: np.ndarray) -> np.ndarray:
    return np.rint(values).clip(0, 255).astype(np.uint8)


def _enlarged(old: int, new: int) -> tuple[np.ndarray, np.ndarray]:
    """As `places`, for AREA: a new pixel is a mixture only where it lies across the border of two."""
    before = np.floor(np.arange(new) * (1 / (new / old)))
    fraction = (np.arange(1, new + 1) - (before + 1) * (new / old)).astype(np.float32)
    return before.astype(int), np.where(fraction <= 0, np.float32(0), fraction - np.floor(fraction))


def _covered(old: int, new: int, scale: float) -> list[tuple[np.ndarray, np.ndarray]]:
    """Which old pixels a new one covers, and with which weights: pairs of arrays (new,), to be added in this order."""
    begin = np.arange(new) * scale
    end, size = begin + scale, np.minimum(scale, old - begin)
    last = np.minimum(np.floor(end), old - 1)
    first = np.minimum(np.ceil(begin), last)
    pairs = [(first - 1, np.where(first - begin > LEAST, (first - begin) / size, 0))]
    pairs += [(first + k, np.where(first + k < last, 1 / size, 0)) for k in range(int((last - first).max()))]
    pairs.append((last, np.where(end - last > LEAST, np.minimum(np.minimum(end - last, 1), size) / size, 0)))
    return [(pixels.clip(0, old - 1).astype(int), weights.astype(np.float32)) for pixels, weights in pairs]


def _weighted(image: np.ndarray, pairs: Iterable[tuple[np.ndarray, np.ndarray]], axis: int) -> np.ndarray:
    """The sum of the pixels of each pair, along `axis`, times its weights."""
    return sum(image.take(pixels, axis) * (weights if axis == 2 else weights[:, None]) for pixels, weights in pairs)


def _by_taps(image: np.ndarray, height: int, width: int, weigh: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """Weighted sums of pixels along both axes, in units of 2^-SHIFT."""
    for axis, new in ((2, width), (1, height)):
        before, fraction = places(image.shape[axis], new)
        weights = np.rint(weigh(fraction) * ONE).astype(np.int32)
        pixels = before + np.arange(len(weights))[:, None] - (len(weights) // 2 - 1)
        image = _weighted(image, zip(pixels.clip(0, image.shape[axis] - 1), weights), axis)
    return image


def _cubic_weights(x: np.ndarray) -> np.ndarray:
    """(4, N): how much the pixels -1, 0, 1, 2 count at the places x (N,) between pixels 0 and 1."""
    a, one = np.float32(-0.75), np.float32(1)
    outer = ((a * (x + one) - 5 * a) * (x + one) + 8 * a) * (x + one) - 4 * a
    inner, other = (((a + 2) * t - (a + 3)) * t * t + one for t in (x, one - x))
    return np.stack([outer, inner, other, one - outer - inner - other])


def _lanczos_weights(x: np.ndarray) -> np.ndarray:
    """(8, N): how much the pixels -3 to 4 count at the places x (N,) between pixels 0 and 1."""
    distance = (x + np.arange(3, -5, -1, dtype=np.float32)[:, None]).astype(float)
    near = abs(distance) < 1e-6
    angle = np.where(near, 1, distance * np.pi / 4)
    weights = np.where(near, 1e30, np.sin(4 * angle) * np.sin(angle) / angle**2).astype(np.float32)
    return weights * (1 / weights.sum(axis=0, dtype=np.float32))
