"""Image files: reading one, and reading many at once."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable

import numpy as np

from blobnet.backend import num_threads, thread_pool
from blobnet.data.images.decode import decode_image
from blobnet.data.images.resize import resize, resize_nearest
from blobnet.errors import within
from blobnet.proto.storage import require_file

MOST_THREADS = 4  # Python's own work around each decoding runs in one thread at a time


def read_image(path: str | os.PathLike, color: bool = True, size: tuple[int, int] | None = None) -> np.ndarray:
    """The image in the file at `path` as uint8 (C, H, W), blue, green, red or gray, resized to `size` (H, W) if given.

    DataError if it is missing or cannot be decoded. EXIF orientation is not applied.
    """
    image = decode_image(require_file(path).read_bytes(), color, f"image {os.fspath(path)!r}")
    return resize(image, *size) if size else image


def read_listed(name: str, where: str, root_folder: str = "", color: bool = True, size: tuple[int, int] | None = None,
                nearest: bool = False) -> np.ndarray:
    """The image file that a line of a list names, as of `read_image`; `root_folder` goes before the name.

    With `nearest` it is resized without new values. `where` is the line, with which errors begin.
    """
    path = root_folder + name
    hint = "" if os.path.isfile(path) else f"the list's paths stand behind root_folder, {root_folder!r}"
    with within(where, hint):
        image = read_image(path, color, None if nearest else size)
        return resize_nearest(image, *size) if nearest and size else image


def in_parallel(body: Callable, items: Iterable) -> list:
    """[body(item) for item in items], computed by a few threads, which are not those that layers compute with."""
    items = list(items)
    threads = min(MOST_THREADS, num_threads(), len(items))
    if threads < 2:
        return [body(item) for item in items]
    pool = thread_pool(min(MOST_THREADS, num_threads()), "blobnet-images")
    parts = [items[len(items) * i // threads:len(items) * (i + 1) // threads] for i in range(threads)]
    return [result for part in pool.map(lambda part: [body(item) for item in part], parts) for result in part]
