"""Datum records made of image files, as Caffe's convert_imageset makes them."""

from __future__ import annotations

import io
import os

import numpy as np
from google.protobuf.message import Message

from blobnet.data.datum import array_to_datum
from blobnet.data.image_files import read_image
from blobnet.errors import DataError, close_matches
from blobnet.proto.messages import new

ENCODINGS = {"jpg": "JPEG", "jpeg": "JPEG", "jpe": "JPEG", "png": "PNG", "bmp": "BMP", "tif": "TIFF", "tiff": "TIFF",
             "webp": "WEBP", "ppm": "PPM", "pgm": "PPM"}  # extension: what Pillow calls it
OPTIONS = {"JPEG": {"quality": 95}, "WEBP": {"lossless": True}}  # OpenCV's defaults


def image_record(path: str, label: int, color: bool, size: tuple[int, int] | None, encoding: str = "") -> tuple[
        Message, int]:
    """The Datum of the image at `path`, read in `color` or gray and resized to `size` (H, W), and its number of values.

    Without `encoding` it holds the values; with one ("png", "jpg" …) a compressed image. Raises DataError.
    Quirks: an image that is not resized and has the extension of `encoding` already is kept byte by byte, in colour
    also where gray was asked for; a "jpg" asked for may be a .jpeg, but not the other way round. A compressed Datum
    does not say its shape.
    """
    image = read_image(path, color, size)
    if not encoding:
        datum = array_to_datum(image, label)
        datum.encoded = False
        return datum, image.size
    suffix = extension(path)
    if size is None and (suffix == encoding or (encoding, suffix) == ("jpg", "jpeg")):
        with open(path, "rb") as file:
            data = file.read()
    else:
        data = encode_image(image, encoding, f"image {path!r}")
    return new("Datum", data=data, label=label, encoded=True), image.size


def encode_image(image: np.ndarray, encoding: str, where: str = "image") -> bytes:
    """The uint8 image (C, H, W), gray or blue, green, red, compressed; DataError for a format that is not known."""
    from PIL import Image

    require_encoding(encoding, where)
    pixels = image[0] if len(image) == 1 else np.ascontiguousarray(image[::-1].transpose(1, 2, 0))
    kind, file = ENCODINGS[encoding], io.BytesIO()
    Image.fromarray(pixels).save(file, kind, **OPTIONS.get(kind, {}))
    return file.getvalue()


def require_encoding(encoding: str, where: str) -> None:
    """DataError unless images can be written in `encoding`."""
    if encoding not in ENCODINGS:
        raise DataError(where, expected="an image format among " + ", ".join(ENCODINGS), got=repr(encoding),
                        hint=close_matches(encoding, ENCODINGS) if encoding else "")


def extension(path: str) -> str:
    """What follows the last dot of `path` in lower case, "" without one.

    >>> extension("a/b.c/D.JPEG")
    'jpeg'
    """
    return os.path.splitext(path)[1][1:].lower()
