"""Distortion: what distort_param does to the colours of images (SSD)."""

from __future__ import annotations

import numpy as np
from google.protobuf.message import Message

from blobnet.data.images.colors import from_hsv, require_color, to_hsv
from blobnet.errors import NetError

BYTES = np.arange(256, dtype=np.float32)
SAME = 1e-3  # contrasts as near to 1 change nothing


class Distortion:
    """Changes brightness, contrast, saturation, hue and the order of the channels of images, each at random.

    Contrast comes second or, in half of the images, fourth. NetError for bounds that cannot be.
    """

    def __init__(self, param: Message, where: str = "distort_param"):
        self.param, self.where = param, where
        for kind in ("brightness", "hue"):
            delta = getattr(param, f"{kind}_delta")
            if getattr(param, f"{kind}_prob") > 0 and not 0 <= delta <= 255:
                raise NetError(where, expected=f"{kind}_delta from 0 to 255", got=f"{delta:g}")
        for kind in ("contrast", "saturation"):
            low, high = getattr(param, f"{kind}_lower"), getattr(param, f"{kind}_upper")
            if getattr(param, f"{kind}_prob") > 0 and not 0 <= low <= high < np.inf:
                raise NetError(where, expected=f"0 <= {kind}_lower <= {kind}_upper", got=f"{low:g} and {high:g}")

    def __call__(self, image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """The uint8 image (3, H, W), changed, drawing from `rng`. DataError for other numbers of channels."""
        require_color(image, self.where)
        early = rng.random() > 0.5
        steps = [self._brightness, self._saturation, self._hue]
        steps.insert(1 if early else 3, self._contrast)
        for step in steps:
            image = step(image, rng)
        if rng.random() < self.param.random_order_prob:
            image = image[rng.permutation(3)]
        return image

    def _brightness(self, image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        delta = self._delta("brightness", rng)
        return image if delta is None else shifted(image, delta)

    def _contrast(self, image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        factor = self._factor("contrast", rng)
        return image if factor is None or abs(factor - 1) <= SAME else scaled(image, factor)

    def _saturation(self, image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        factor = self._factor("saturation", rng)
        return image if factor is None else saturated(image, factor)

    def _hue(self, image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        delta = self._delta("hue", rng)
        return image if delta is None else with_hue(image, delta)

    def _delta(self, kind: str, rng: np.random.Generator) -> float | None:
        most = getattr(self.param, f"{kind}_delta")
        return rng.uniform(-most, most) if rng.random() < getattr(self.param, f"{kind}_prob") else None

    def _factor(self, kind: str, rng: np.random.Generator) -> float | None:
        low, high = getattr(self.param, f"{kind}_lower"), getattr(self.param, f"{kind}_upper")
        return rng.uniform(low, high) if rng.random() < getattr(self.param, f"{kind}_prob") else None


def shifted(values: np.ndarray, delta: float) -> np.ndarray:
    """uint8 values with `delta` added, rounded, from 0 to 255."""
    return np.rint(BYTES + np.float32(delta)).clip(0, 255).astype(np.uint8)[values]


def scaled(values: np.ndarray, factor: float) -> np.ndarray:
    """uint8 values times `factor`, rounded, from 0 to 255."""
    return np.rint(BYTES * np.float32(factor)).clip(0, 255).astype(np.uint8)[values]


def saturated(image: np.ndarray, factor: float) -> np.ndarray:
    """The image with its saturation times `factor`."""
    parts = to_hsv(image)
    parts[1] = scaled(parts[1], factor)
    return from_hsv(parts)


def with_hue(image: np.ndarray, delta: float) -> np.ndarray:
    """The image with `delta` added to its hue, of which 180 is a turn; below red there is nothing, as in SSD."""
    parts = to_hsv(image)
    parts[0] = shifted(parts[0], delta)
    return from_hsv(parts)
