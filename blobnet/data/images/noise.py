"""Noise: what noise_param does to images (SSD)."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from google.protobuf.message import Message

from blobnet.data.images.colors import from_ycrcb, require_color, to_gray, to_hsv, to_ycrcb
from blobnet.data.images.decode import decode_image
from blobnet.data.images.encode import encode_image
from blobnet.data.images.histograms import equalize, equalize_tiles
from blobnet.errors import NetError, ShapeError

KERNEL = np.array([9, 29, 55, 70, 55, 29, 9], np.int32)  # a Gaussian of deviation 1.5, in units of 1 / 256
STEP = 64  # of posterized values


class Noise:
    """Changes uint8 images (C, H, W) in the ways that a NoiseParameter asks for, one after the other.

    In their order: decolorize, gauss_blur, hist_eq, clahe, jpeg, erode, posterize, inverse, saltpepper, convert_to_hsv.
    NetError for options that cannot be.
    """

    def __init__(self, param: Message, where: str = "noise_param"):
        self.param, self.where, pepper = param, where, param.saltpepper_param
        if param.convert_to_lab:
            raise NetError(where, "convert_to_lab is not here", hint="the program of SSD reads its floats as bytes")
        if not param.jpeg <= 100:
            raise NetError(where, expected="jpeg of at most 100", got=f"{param.jpeg:g}")
        if param.saltpepper and not (pepper.value and 0 <= pepper.fraction <= 1):
            raise NetError(where, expected="in saltpepper_param a fraction from 0 to 1 and a value", got=str(pepper))
        if not all(0 <= value < 256 for value in pepper.value):
            raise NetError(where, expected="values from 0 to 255 in saltpepper_param", got=list(pepper.value))
        steps: list[tuple[bool, Callable[[np.ndarray], np.ndarray]]] = [
            (param.decolorize, self._decolorized), (param.gauss_blur, blurred),
            (param.hist_eq, lambda image: self._by_luma(image, equalize)),
            (param.clahe, lambda image: self._by_luma(image, equalize_tiles)),
            (param.jpeg > 0, self._compressed), (param.erode, eroded),
            (param.posterize, lambda image: image // STEP * STEP + STEP // 2), (param.inverse, np.invert)]
        self.steps = [step for wanted, step in steps if wanted]

    def __call__(self, image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """The image changed, drawing from `rng`; DataError or ShapeError for channels that do not suit the options."""
        for step in self.steps:
            image = step(image)
        if self.param.saltpepper:
            image = self._peppered(image, rng)
        if self.param.convert_to_hsv:
            require_color(image, self.where)
            image = to_hsv(image)
        return image

    def _decolorized(self, image: np.ndarray) -> np.ndarray:
        if len(image) > 1:
            require_color(image, self.where)
            image = to_gray(image).repeat(3, 0)
        return image

    def _by_luma(self, image: np.ndarray, equalized: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
        if len(image) == 1:
            return equalized(image[0])[np.newaxis]
        require_color(image, self.where)
        parts = to_ycrcb(image)
        parts[0] = equalized(parts[0])
        return from_ycrcb(parts)

    def _compressed(self, image: np.ndarray) -> np.ndarray:
        if len(image) > 1:
            require_color(image, self.where)
        data = encode_image(image, "jpg", self.where, quality=int(self.param.jpeg))
        return decode_image(data, len(image) == 3, self.where)

    def _peppered(self, image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        values = self.param.saltpepper_param.value
        if len(values) not in (1, len(image)):
            raise ShapeError(self.where, expected=f"in saltpepper_param one value or one a channel ({len(image)})",
                             got=len(values))
        count = math.floor(self.param.saltpepper_param.fraction * image[0].size)
        places = rng.integers(image[0].size, size=count)
        image = image.copy()
        image.reshape(len(image), -1)[:, places] = np.array(values).astype(np.uint8)[:, None]
        return image


def blurred(image: np.ndarray) -> np.ndarray:
    """The image smoothed by a Gaussian of 7 x 7 pixels, mirrored beyond its edges; bit for bit as OpenCV does it."""
    reach = len(KERNEL) // 2
    for axis in (2, 1):
        padding = [(reach, reach) if k == axis else (0, 0) for k in range(3)]
        views = np.lib.stride_tricks.sliding_window_view(np.pad(image, padding, "reflect"), len(KERNEL), axis)
        image = views @ KERNEL
    return (image + (1 << 15) >> 16).astype(np.uint8)


def eroded(image: np.ndarray) -> np.ndarray:
    """Of each pixel and its four neighbours the darkest, in each channel."""
    out = image.copy()
    for here, there in ((np.s_[:, 1:], np.s_[:, :-1]), (np.s_[:, :, 1:], np.s_[:, :, :-1])):
        np.minimum(out[here], image[there], out=out[here])
        np.minimum(out[there], image[here], out=out[there])
    return out
