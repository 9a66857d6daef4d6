"""Encoding of images into the bytes of an image file."""

from __future__ import annotations

import io
import os

import numpy as np

from blobnet.errors import DataError, close_matches

ENCODINGS = {"jpg": "JPEG", "jpeg": "JPEG", "jpe": "JPEG", "png": "PNG", "bmp": "BMP", "tif": "TIFF", "tiff": "TIFF",
             "webp": "WEBP", "ppm": "PPM", "pgm": "PPM"}  # extension: what Pillow calls it
OPTIONS: dict[str, dict] = {"JPEG": {"quality": 95}, "WEBP": {"lossless": True}}  # OpenCV's defaults


def encode_image(image: np.ndarray, encoding: str, where: str = "image", **options) -> bytes:
    """The uint8 image (C, H, W), gray or blue, green, red, compressed; DataError for a format that is not known.

    `options` are those of Pillow, such as quality; they come before OpenCV's defaults.
    """
    from PIL import Image

    require_encoding(encoding, where)
    pixels = image[0] if len(image) == 1 else np.ascontiguousarray(image[::-1].transpose(1, 2, 0))
    kind, file = ENCODINGS[encoding], io.BytesIO()
    Image.fromarray(pixels).save(file, kind, **OPTIONS.get(kind, {}) | options)
    return file.getvalue()


def require_encoding(encoding: str, where: str) -> None:
    """DataError unless images can be written in `encoding`."""
    if encoding not in ENCODINGS:
        raise DataError(where, expected="an image format among " + ", ".join(ENCODINGS), got=repr(encoding),
                        hint=close_matches(encoding, ENCODINGS) if encoding else "")


def extension(path: str) -> str:
    """What follows the last dot of `path`, in lower case; "" if there is no dot.

    >>> extension("a/b.c/D.JPEG")
    'jpeg'
    """
    return os.path.splitext(path)[1][1:].lower()
