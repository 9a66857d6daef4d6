"""Decoding of compressed images into arrays as OpenCV, and so Caffe, lays them out."""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Iterator
from importlib import import_module

import numpy as np

from blobnet.errors import BlobnetError, DataError
from blobnet.proto.budget import require

# How the files of each format begin, and Pillow's classes that read them. None of these starts a program or opens
# another file, whereas Pillow's Image.open would also take PostScript, for which it starts Ghostscript.
FORMATS = ((rb"\xff\xd8\xff", "JpegImagePlugin.JpegImageFile"), (rb"\x89PNG\r\n\x1a\n", "PngImagePlugin.PngImageFile"),
           (rb"BM", "BmpImagePlugin.BmpImageFile"), (rb"P[1-6fy]\s", "PpmImagePlugin.PpmImageFile"),
           (rb"GIF8[79]a", "GifImagePlugin.GifImageFile"), (rb"II\*\0|MM\0\*", "TiffImagePlugin.TiffImageFile"),
           (rb"RIFF....WEBP", "WebPImagePlugin.WebPImageFile"))
NAMES = "JPEG, PNG, BMP, PPM, GIF, TIFF, WEBP"
BYTES = 4  # a pixel takes, at most, while it is decoded
PNG_DEPTH = 24  # where a PNG file says how many bits a channel has
EIGHT_BITS = ("L", "LA", "RGB", "RGBA", "CMYK", "YCbCr", "P", "PA", "1")
PNG_GRAY = np.array([9797, 19234, 3737], np.int32), 0, 15       # weights of red, green, blue; what is added; the shift
OPENCV_GRAY = np.array([4899, 9617, 1868], np.int32), 8192, 14  # of all formats but PNG and JPEG


def decode_image(data: bytes, color: bool | None = None, where: str = "image") -> np.ndarray:
    """The compressed image `data` (JPEG, PNG …) as a uint8 array (C, H, W); colours in the order blue, green, red.

    `color` True gives three channels, False one (luminance), None as many as the file has: 1, 3, or 4 with
    transparency. Raises DataError for data that is no image, is cut off, or has more than 8 bits a channel.
    """
    image = open_image(data, where)
    with _decoding(data, where):
        if image.mode not in EIGHT_BITS:
            raise DataError(where, expected="an image of 8 bits a channel", got=f"Pillow mode {image.mode!r}")
        if color is None and image.format == "PNG" and data[PNG_DEPTH] == 16:  # which Pillow has as 8
            raise DataError(where, expected="an image of 8 bits a channel", got="16 bits", hint="force_color takes it")
        mode = _native_mode(image) if color is None else "RGB" if color else "L"
        if mode == "L":
            image.draft("L", None)  # a JPEG stores luminance by itself
            if image.format != "JPEG" and image.mode not in ("L", "LA", "1"):
                return _gray(np.asarray(image.convert("RGB")), *(PNG_GRAY if image.format == "PNG" else OPENCV_GRAY))
        pixels = np.asarray(image if image.mode == mode else image.convert(mode))
    if mode == "L":
        return pixels[np.newaxis]
    planes = np.empty((pixels.shape[2], *pixels.shape[:2]), np.uint8)
    for plane, channel in zip(planes, (2, 1, 0, 3)):  # plain copies let other threads run, an index list would not
        plane[...] = pixels[:, :, channel]
    return planes


def open_image(data: bytes, where: str = "image"):
    """The PIL.Image.Image in `data`, not decoded yet; of an animation, the first image.

    This is the one way in which blobnet opens images. DataError for other formats than NAMES, for damaged headers, and
    for more pixels than fit into the memory that a file may take (see proto.budget).
    """
    found = next((name for start, name in FORMATS if re.match(start, data, re.DOTALL)), None)
    if found is None:
        raise DataError(where, f"{len(data)} bytes that cannot be decoded as an image", expected=NAMES,
                        got=f"a file that begins with {bytes(data[:8])!r}" if data else "nothing")
    if data[12:16] == b"VP8X":  # Pillow takes memory for the whole of it at once
        width, height = (1 + int.from_bytes(data[at:at + 3], "little") for at in (24, 27))
        _require(width, height, data, where)
    module, _, name = found.partition(".")
    with _decoding(data, where):
        image = getattr(import_module(f"PIL.{module}"), name)(io.BytesIO(data))
        _require(image.width, image.height, data, where)
        return image


def decoded(data: bytes, where: str = "image"):
    """The PIL.Image.Image in `data`, decoded. DataError as for `open_image`, and where the data is damaged."""
    image = open_image(data, where)
    with _decoding(data, where):
        image.load()
    return image


def _require(width: int, height: int, data: bytes, where: str) -> None:
    require(BYTES * width * height, where, f"{width} x {height} pixels", len(data))


@contextlib.contextmanager
def _decoding(data: bytes, where: str) -> Iterator[None]:
    try:
        yield
    except BlobnetError:
        raise
    except Exception as error:  # Pillow raises a dozen types on damaged files
        raise DataError(where, f"{len(data)} bytes that cannot be decoded as an image ({error})") from error


def _native_mode(image) -> str:
    if image.mode in ("L", "1"):
        return "L"
    return "RGBA" if image.mode in ("LA", "PA", "RGBA") or "transparency" in image.info else "RGB"


def _gray(pixels: np.ndarray, weights: np.ndarray, half: int, shift: int) -> np.ndarray:
    """Luminance as OpenCV and its libpng compute it; Pillow's is up to 1 brighter."""
    return (pixels @ weights + half >> shift).astype(np.uint8)[np.newaxis]
