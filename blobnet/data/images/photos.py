"""Photos as people have them: large, turned by their camera, in folders and in lists."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from blobnet.data.images.decode import decode_image, open_image
from blobnet.data.images.encode import ENCODINGS, extension
from blobnet.data.images.lists import images_below, images_listed
from blobnet.data.images.resize import resize
from blobnet.errors import DataError
from blobnet.proto.storage import require_file

ORIENTATION = 0x0112  # the EXIF tag: which way the camera was held
JPEG = b"\xff\xd8\xff"


def read_photo(path: str | os.PathLike, color: bool = True, size: tuple[int, int] | None = None) -> np.ndarray:
    """The photo at `path`, upright, as uint8 (C, H, W), blue, green, red or gray, of `size` (H, W) if that is given.

    A side that becomes less than half as long is averaged first, see `shrink`; otherwise this is what `read_image`
    gives, and so what ImageData reads, of a photo that was not turned. DataError, with the path, if it is missing or
    cannot be decoded.
    """
    where = f"image {os.fspath(path)!r}"
    data = require_file(path).read_bytes()
    image = upright(decode_image(data, color, where), _orientation(data, where))
    return shrink(image, *size) if size else image


def shrink(image: np.ndarray, height: int, width: int) -> np.ndarray:
    """The uint8 image (C, H, W) resized to (C, height, width).

    Before it is resized between neighbours, a side that is n times as long as wanted, n of 2 or more, is replaced by
    the means of n pixels each, so that all of a large photo counts and not every n-th pixel. What is left over of the
    side after the last n pixels is a mean as well.

    >>> shrink(np.array([[[0, 30, 60, 100, 110, 120]]], np.uint8), 1, 2).tolist()
    [[[30, 110]]]
    """
    for axis, side in ((1, height), (2, width)):
        step = image.shape[axis] // max(side, 1)
        if step > 1 and image.shape[1:] != (2 * height, 2 * width):  # which resize averages by itself
            starts = np.arange(0, image.shape[axis], step)
            counts = np.diff(starts, append=image.shape[axis]).reshape([-1 if i == axis else 1 for i in range(3)])
            sums = np.add.reduceat(image, starts, axis, dtype=np.uint32)
            image = ((sums + counts // 2) // counts).astype(np.uint8)
    return resize(image, height, width)


def upright(image: np.ndarray, orientation: int) -> np.ndarray:
    """The image (C, H, W) as it is looked at, of one with this EXIF orientation, 1 … 8.

    Source: EXIF 2.3, tag Orientation: where the first row and the first column of the pixels belong.

    >>> upright(np.array([[[1, 2, 3]]]), 6).tolist()
    [[[1], [2], [3]]]
    """
    if orientation > 4:
        image = image.swapaxes(1, 2)
    rows = slice(None, None, -1) if orientation in (3, 4, 7, 8) else slice(None)
    columns = slice(None, None, -1) if orientation in (2, 3, 6, 7) else slice(None)
    return np.ascontiguousarray(image[:, rows, columns])


def _orientation(data: bytes, where: str) -> int:
    """The EXIF orientation of a JPEG file; 1, upright, for all that says nothing, or nothing that can be read."""
    if not data.startswith(JPEG):
        return 1
    try:
        value = open_image(data, where).getexif().get(ORIENTATION, 1)
    except Exception:  # Pillow raises several types; a photo is not lost for a damaged note on it
        return 1
    return value if value in range(1, 9) else 1


def find_photos(given: Iterable[str | os.PathLike]) -> list[str]:
    """The paths of the photos that the paths `given` mean, in their order.

    A file with the extension of an image is a photo. A folder stands for all of these in and below it, sorted, without
    hidden ones. Any other file is a list, a path a line with or without labels behind it, relative to the list's
    folder. DataError for a path where nothing is, and for a folder or a list without photos.
    """
    found: list[str] = []
    for path in (os.fspath(path) for path in given):
        if os.path.isdir(path):
            below = [name for name in images_below(path) if not is_hidden(name)]
            if not below:
                raise DataError(path, "no image in this folder and those below it")
            found += [os.path.join(path, name) for name in below]
        elif extension(path) in ENCODINGS:
            require_file(path)
            found.append(path)
        else:
            folder = os.path.dirname(path)
            found += [os.path.join(folder, name) for name in images_listed(require_file(path), folder)]
    return found


def is_hidden(name: str | os.PathLike) -> bool:
    """Whether a file or a folder of the relative path `name` begins with a dot, as what systems leave beside photos."""
    return any(part.startswith(".") for part in Path(name).parts)
