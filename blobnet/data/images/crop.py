"""Image files resized and cropped to a square, as Caffe's resize_and_crop_images.py makes ImageNet ready."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from blobnet.data.images.decode import decoded
from blobnet.data.images.encode import encode_image, extension
from blobnet.data.images.files import read_image
from blobnet.data.images.resize import resize
from blobnet.errors import DataError
from blobnet.proto.storage import atomic_write, require_file

CHUNK = 64  # images for each thread that are handed out at once


def crop_opencv(source: str | os.PathLike, target: str | os.PathLike, side: int) -> None:
    """Write the image `source` to `target`, shorter side resized to `side`, longer side cropped to its middle.

    Sizes and offsets are rounded down; bilinear as OpenCV does it, in colour, in the format of the extension of
    `target` (JPEG of quality 95). Raises DataError.
    """
    image = read_image(source)
    height, width = image.shape[1:]
    if height > width:
        height, width = side * height // width, side
    else:
        height, width = side, side * width // height
    image = resize(image, height, width)
    top, left = (height - side) // 2, (width - side) // 2
    data = encode_image(image[:, top:top + side, left:left + side], extension(os.fspath(target)),
                        f"image {os.fspath(target)!r}")
    with atomic_write(target) as file:
        file.write(data)


def crop_pil(source: str | os.PathLike, target: str | os.PathLike, side: int) -> None:
    """The same with Pillow: cropped to a square, then resized with anti-aliasing, written as JPEG of quality 75.

    Raises DataError. Quirks: the file is a JPEG whatever its extension. An image that is smaller than `side` stays so.
    A large one is first halved without any smoothing, until its width is at most twice the side or its height at most
    the side; so a wide one, 1000x500 for 256, may come out smaller than `side` too (250x250).
    """
    from PIL import Image

    image = decoded(require_file(source).read_bytes(), f"image {os.fspath(source)!r}")
    try:
        if image.mode not in ("L", "RGB", "CMYK"):
            image = image.convert("RGB")
        factor = 1
        while image.width // factor > 2 * side and image.height * 2 // factor > 2 * side:
            factor *= 2
        if factor > 1:
            image.thumbnail((image.width // factor, image.height // factor), Image.Resampling.NEAREST)
        image = image.crop(_square(image.width, image.height, side))
        image.thumbnail((side, side), Image.Resampling.LANCZOS)
    except (OSError, ValueError, MemoryError) as error:
        raise DataError(f"image {os.fspath(source)!r}", f"cannot be decoded ({error})") from error
    with atomic_write(target) as file:
        image.save(file, "JPEG", quality=75)


LIBRARIES = {"opencv": crop_opencv, "pil": crop_pil}


def _square(width: int, height: int, side: int) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of the square in the middle."""
    across, down = width / side, height / side
    if down > across:
        return 0, int(height / 2 - side * across / 2), width, int(height / 2 + side * across / 2)
    return int(width / 2 - side * down / 2), 0, int(width / 2 + side * down / 2), height


def crop_images(names: Sequence[str], source: str | os.PathLike, target: str | os.PathLike, side: int, threads: int = 1,
                crop: Callable = crop_opencv) -> Iterator[DataError | None]:
    """`crop` the images `names`, paths in the folder `source`, into the folder `target`, with so many threads.

    Folders that are missing are made. Yields for each image, in order, None or the error that prevented it. DataError
    if the two folders are the same.
    """
    if Path(source).resolve() == Path(target).resolve():
        raise DataError(os.fspath(target), "the images would take the place of the originals",
                        hint="write them into another folder")

    def work(name: str) -> DataError | None:
        place = os.path.join(target, name)
        try:
            os.makedirs(os.path.dirname(place), exist_ok=True)
            crop(os.path.join(source, name), place, side)
        except DataError as error:
            return error
        return None

    with ThreadPoolExecutor(threads, thread_name_prefix="blobnet-crop") as pool:
        for start in range(0, len(names), threads * CHUNK):
            yield from pool.map(work, names[start:start + threads * CHUNK])
