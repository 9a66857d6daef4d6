"""Colours of uint8 images (3, H, W), blue, green, red, in other coordinates and back, as OpenCV has them."""

from __future__ import annotations

import numpy as np

from blobnet.errors import DataError

GRAY = np.array([3735, 19235, 9798], np.int32)  # weights of blue, green, red in units of 2^-15
LUMA, RED, BLUE = np.array([1868, 9617, 4899], np.int32), 11682, 9241  # of YCrCb, in units of 2^-14
BACK_RED, BACK_GREEN_RED, BACK_GREEN_BLUE, BACK_BLUE = 22987, -11698, -5636, 29049
HALF, SHIFT = 1 << 13, 14
MIDDLE = 128
TURN = 180  # a whole turn of hue
WHOLE = np.arange(1, 256)
SATURATION = np.rint(np.append(0, (255 << 12) / WHOLE)).astype(np.int32)       # 255 / n, in units of 2^-12
HUE = np.rint(np.append(0, (TURN << 12) / (6. * WHOLE))).astype(np.int32)      # a sixth of a turn / n
PARTS = np.arange(256, dtype=np.float32) * np.float32(1 / 255)
SECTOR = np.arange(256, dtype=np.float32) * np.float32(6 / TURN)  # where a hue is, in sixths of a turn
IN_SECTOR = SECTOR - np.floor(SECTOR)
CHOICE = np.array([[1, 1, 3, 0, 0, 2], [3, 0, 0, 2, 1, 1], [0, 2, 1, 1, 3, 0]])[  # which of four b, g and r are
    :, SECTOR.astype(int) % 6].astype(np.uint8)


def require_color(image: np.ndarray, where: str) -> None:
    """DataError unless the image has three channels."""
    if len(image) != 3:
        raise DataError(where, expected="images of 3 channels", got=len(image), hint="force_color reads them so")


def to_gray(image: np.ndarray) -> np.ndarray:
    """Luminance (1, H, W)."""
    return (np.tensordot(GRAY, image, 1) + (1 << 14) >> 15).astype(np.uint8)[np.newaxis]


def to_ycrcb(image: np.ndarray) -> np.ndarray:
    """Luminance, and by how much red and blue are above it."""
    luma = np.tensordot(LUMA, image, 1) + HALF >> SHIFT
    red, blue = ((plane - luma) * weight + (MIDDLE << SHIFT) + HALF >> SHIFT
                 for plane, weight in ((image[2], RED), (image[0], BLUE)))
    return np.stack([luma, red, blue]).clip(0, 255).astype(np.uint8)


def from_ycrcb(image: np.ndarray) -> np.ndarray:
    """The inverse of `to_ycrcb`, but for rounding."""
    luma, red, blue = image.astype(np.int32)
    red -= MIDDLE
    blue -= MIDDLE
    parts = BACK_BLUE * blue, BACK_GREEN_BLUE * blue + BACK_GREEN_RED * red, BACK_RED * red
    return np.stack([luma + (part + HALF >> SHIFT) for part in parts]).clip(0, 255).astype(np.uint8)


def to_hsv(image: np.ndarray) -> np.ndarray:
    """Hue in [0, 180), saturation, value."""
    blue, green, red = image.astype(np.int16)
    value = image.max(axis=0)
    spread = value - image.min(axis=0)
    wide = spread.astype(np.int16)
    hue = np.where(value == image[2], green - blue,
                   np.where(value == image[1], blue - red + 2 * wide, red - green + 4 * wide))
    hue = hue * HUE[spread] + (1 << 11) >> 12
    saturation = wide * SATURATION[value] + (1 << 11) >> 12
    return np.stack([hue + TURN * (hue < 0), saturation, value]).astype(np.uint8)


def from_hsv(image: np.ndarray) -> np.ndarray:
    """The inverse of `to_hsv`, but for rounding. Hues of 180 and above go on with the next turn."""
    hue, one = image[0], np.float32(1)
    saturation, value = (PARTS[plane] for plane in image[1:])
    part = IN_SECTOR[hue]
    four = [np.rint(number * np.float32(255)).clip(0, 255).astype(np.uint8) for number in (
        value, value * (one - saturation), value * (one - saturation * part),
        value * (one - saturation * (one - part)))]
    return np.stack([np.choose(which[hue], four) for which in CHOICE])
