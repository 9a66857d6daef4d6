"""Decoding of compressed images into arrays as OpenCV, and so Caffe, lays them out."""

from __future__ import annotations

import io

import numpy as np

from blobnet.errors import BlobnetError, DataError

PNG_DEPTH = 24  # where a PNG file says how many bits a channel has
EIGHT_BITS = ("L", "LA", "RGB", "RGBA", "CMYK", "YCbCr", "P", "PA", "1")
PNG_GRAY = np.array([9797, 19234, 3737], np.int32), 0, 15       # weights of red, green, blue; what is added; the shift
OPENCV_GRAY = np.array([4899, 9617, 1868], np.int32), 8192, 14  # of all formats but PNG and JPEG


def decode_image(data: bytes, color: bool | None = None, where: str = "image") -> np.ndarray:
    """The compressed image `data` (JPEG, PNG …) as a uint8 array (C, H, W); colours in the order blue, green, red.

    `color` True gives three channels, False one (luminance), None as many as the file has: 1, 3, or 4 with
    transparency. Raises DataError for data that is no image, is cut off, or has more than 8 bits a channel.
    """
    from PIL import Image

    try:
        image = Image.open(io.BytesIO(data))
        if image.mode not in EIGHT_BITS:
            raise DataError(where, expected="an image of 8 bits a channel", got=f"Pillow mode {image.mode!r}")
        if color is None and image.format == "PNG" and data[PNG_DEPTH] == 16:  # which Pillow has as 8
            raise DataError(where, expected="an image of 8 bits a channel", got="16 bits", hint="force_color takes it")
        mode = _native_mode(image) if color is None else "RGB" if color else "L"
        if mode == "L":
            image.draft("L", None)  # a JPEG stores luminance by itself
            if image.format not in ("JPEG", "MPO") and image.mode not in ("L", "LA", "1"):
                return _gray(np.asarray(image.convert("RGB")), *(PNG_GRAY if image.format == "PNG" else OPENCV_GRAY))
        pixels = np.asarray(image if image.mode == mode else image.convert(mode))
    except BlobnetError:
        raise
    except Exception as error:  # Pillow raises a dozen types on damaged files
        raise DataError(where, f"{len(data)} bytes that cannot be decoded as an image ({error})") from error
    if mode == "L":
        return pixels[np.newaxis]
    planes = np.empty((pixels.shape[2], *pixels.shape[:2]), np.uint8)
    for plane, channel in zip(planes, (2, 1, 0, 3)):  # plain copies let other threads run, an index list would not
        plane[...] = pixels[:, :, channel]
    return planes


def _native_mode(image) -> str:
    if image.mode in ("L", "1"):
        return "L"
    return "RGBA" if image.mode in ("LA", "PA", "RGBA") or "transparency" in image.info else "RGB"


def _gray(pixels: np.ndarray, weights: np.ndarray, half: int, shift: int) -> np.ndarray:
    """Luminance as OpenCV and its libpng compute it; Pillow's is up to 1 brighter."""
    return (pixels @ weights + half >> shift).astype(np.uint8)[np.newaxis]
