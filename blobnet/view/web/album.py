"""The pictures of a page: thumbnails of what codes were made of, found by their ids, each in the page once."""

from __future__ import annotations

import base64
import contextlib
import io
import os
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from blobnet.data.images.decode import open_image
from blobnet.data.images.files import in_parallel
from blobnet.data.stores.database import is_database, open_database
from blobnet.data.stores.datum import datum_to_array, parse_datum
from blobnet.data.stores.ids import first_ids
from blobnet.errors import BlobnetError, DataError
from blobnet.log.html import words

SIDE = 160   # of a thumbnail at most, pixels
EXACT = 32   # images up to this side are kept bit for bit, and shown in large pixels
QUALITY = 85


class Thumbnail(NamedTuple):
    """A picture in the page: its number there, an address with the file in it, width and height."""

    number: int
    address: str
    width: int
    height: int


class Album:
    """The thumbnails of a page. A picture is what an id names: a path below a root, or the key of a database."""

    def __init__(self) -> None:
        self._pictures: dict[tuple[str, str], Thumbnail | str] = {}  # or why there is none

    def read(self, root: str, names: Iterable[str]) -> None:
        """Take in the pictures of these ids; of those that are not there, or are no images, the reason."""
        wanted = [name for name in dict.fromkeys(names) if (root, name) not in self._pictures]
        found = _from_database(root, wanted) if is_database(root) else in_parallel(partial(_from_folder, root), wanted)
        for name, picture in zip(wanted, found):
            self._pictures[root, name] = (picture if isinstance(picture, str)
                                          else Thumbnail(len(self._pictures), *picture))

    def show(self, root: str, name: str) -> str:
        """The picture as an element that refers to its definition, or a place that says why there is none."""
        found = self._pictures.get((root, name), "not read")
        if isinstance(found, str):
            return f'<div class="missing" title="{words(found)}"><span>no picture</span></div>'
        tiny = " tiny" * (max(found.width, found.height) <= EXACT)
        return (f'<svg class="picture{tiny}" role="img" aria-label="{words(name)}" '
                f'viewBox="0 0 {found.width} {found.height}"><title>{words(name)}</title>'
                f'<use href="#p{found.number}"/></svg>')

    def definitions(self) -> str:
        """The element that holds all pictures; it shows nothing itself."""
        images = "\n".join(f'<image id="p{one.number}" width="{one.width}" height="{one.height}" href="{one.address}"/>'
                           for one in self._pictures.values() if isinstance(one, Thumbnail))
        return f'<svg class="unseen" aria-hidden="true"><defs>\n{images}\n</defs></svg>' if images else ""

    def notes(self) -> list[str]:
        """What a reader should know: how many pictures of each root are not there, and why the first one is not."""
        said = []
        for root in dict.fromkeys(root for root, _ in self._pictures):
            here = [picture for (place, _), picture in self._pictures.items() if place == root]
            missing = [reason for reason in here if isinstance(reason, str)]
            if missing:
                said.append(f"{len(missing)} of {len(here)} pictures are not there: {missing[0]}")
        return said


def _from_folder(root: str, name: str) -> tuple[str, int, int] | str:
    path = os.path.join(root, name)
    if not os.path.isfile(path):
        return f"there is no file {path!r}"
    return _or_reason(lambda: _picture_of(Path(path).read_bytes(), f"image {path!r}"))


def _from_database(root: str, names: list[str]) -> list[tuple[str, int, int] | str]:
    """The pictures of the records with these keys; a database is read up to the last of them."""
    reader, wanted = open_database(root), set(names)
    found: dict[str, tuple[str, int, int] | str] = {}
    reader.seek(0)
    for key in first_ids(reader.keys(), len(reader)):
        value = reader.read()
        if key in wanted:
            found[key] = _or_reason(partial(_picture_of_record, value, f"{reader.where} record {key!r}"))
            if len(found) == len(wanted):
                break
    return [found.get(name, f"{reader.where} has no key {name!r}") for name in names]


def _or_reason(make: Callable[[], tuple[str, int, int]]) -> tuple[str, int, int] | str:
    try:
        return make()
    except (BlobnetError, OSError) as error:
        return str(error).splitlines()[0]


def _picture_of(data: bytes, where: str) -> tuple[str, int, int]:
    image = open_image(data, where)
    try:
        image.draft("RGB", (2 * SIDE, 2 * SIDE))  # a large JPEG is decoded at a smaller size
        return _picture(image)
    except Exception as error:  # Pillow raises a dozen types on damaged files
        raise DataError(where, f"cannot be decoded ({error})") from error


def _picture_of_record(value: bytes | memoryview, where: str) -> tuple[str, int, int]:
    datum = parse_datum(value, where)
    if datum.encoded:
        return _picture_of(datum.data, where)
    array = datum_to_array(datum, where=where)
    if array.dtype != np.uint8 or len(array) not in (1, 3):
        raise DataError(where, expected="an image of 1 or 3 channels of bytes", got=f"{array.shape} {array.dtype}")
    from PIL import Image

    return _picture(Image.fromarray(array[0] if len(array) == 1
                                    else np.ascontiguousarray(array[::-1].transpose(1, 2, 0))))


def _picture(image) -> tuple[str, int, int]:
    """Of a PIL.Image.Image the thumbnail's address, width and height: upright; PNG if it is tiny or has transparent
    parts, else JPEG."""
    from PIL import ImageOps

    with contextlib.suppress(Exception):  # a photo is not lost for a damaged note on how it was held
        image = ImageOps.exif_transpose(image)
    clear = image.mode in ("LA", "PA", "RGBA") or "transparency" in image.info
    image = image.convert("RGBA" if clear else "L" if image.mode == "L" else "RGB")
    image.thumbnail((SIDE, SIDE))
    kind = "PNG" if clear or max(image.size) <= EXACT else "JPEG"
    file = io.BytesIO()
    image.save(file, kind, **({"quality": QUALITY} if kind == "JPEG" else {"optimize": True}))
    return f"data:image/{kind.lower()};base64,{base64.b64encode(file.getvalue()).decode()}", *image.size
