"""Groups and datasets of HDF5 files, read with every step checked: the HDF5 library trusts files, and dies with a
damaged one.

Nothing outside of the file is ever read: links to other files, numbers in other files and virtual datasets are refused.
Of the types of data there are integers, floats, and texts of a fixed length, of the filters gzip, shuffle and
fletcher32; the others are named in the error.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import cached_property
from typing import Any

import numpy as np

from blobnet.proto.budget import require
from blobnet.proto.hdf5_bytes import UNDEFINED, Cursor, Source, count_bytes
from blobnet.proto.hdf5_chunks import Chunks, read_chunks, read_filters
from blobnet.proto.hdf5_links import Links, dense_links, read_link, symbol_table
from blobnet.proto.hdf5_types import read_fill, read_shape, read_type
from blobnet.proto.wire import Corrupt

SHAPE, LINK_INFO, TYPE, OLDER_FILL, FILL, LINK, EXTERNAL, LAYOUT, FILTERS = 1, 2, 3, 4, 5, 6, 7, 8, 11
CONTINUED, SYMBOLS = 16, 17
COMPACT, CONTIGUOUS, CHUNKED, VIRTUAL = range(4)
SHARED = 2  # flag of a message that stands elsewhere


class File:
    """The objects of a file by the address of their headers, each read once."""

    def __init__(self, source: Source):
        self.source = source
        self._objects: dict[int, Group | Dataset | str] = {}

    def object(self, address: int, name: str) -> Group | Dataset | str:
        """The object at `address`, or what it is called if it is neither group nor dataset."""
        if address not in self._objects:
            messages: dict[int, list[Cursor]] = {}
            for kind, message in _messages(self.source, address):
                messages.setdefault(kind, []).append(message)
            if LAYOUT in messages:
                self._objects[address] = Dataset(self, name, messages)
            elif SYMBOLS in messages or LINK_INFO in messages or LINK in messages:
                self._objects[address] = Group(self, name, messages)
            else:
                self._objects[address] = "a type"
        return self._objects[address]


class Group:
    """A group: names of groups and datasets."""

    def __init__(self, file: File, name: str, messages: dict[int, list[Cursor]]):
        self.file, self.name, self._messages = file, name, messages

    @cached_property
    def links(self) -> Links:
        """Name to the address of the object's header, or to what kind of link it is, by the alphabet."""
        links: Links = {}
        for message in self._messages.get(SYMBOLS, []):
            links |= symbol_table(self.file.source, message)
        for message in self._messages.get(LINK_INFO, []):
            links |= dense_links(self.file.source, message)
        links |= dict(read_link(message) for message in self._messages.get(LINK, []))
        return dict(sorted(links.items()))

    def __contains__(self, path: str) -> bool:
        return self.get(path) is not None

    def __iter__(self) -> Iterator[str]:
        return iter(self.links)

    def get(self, path: str) -> Group | Dataset | str | None:
        """What is at `path`, names with slashes between them; None if there is no such name.

        Raises Corrupt for a link that leads elsewhere.
        """
        name, _, rest = path.partition("/")
        if name not in self.links:
            return None
        link = self.links[name]
        if isinstance(link, str):
            raise Corrupt(0, f"{name!r} is a {link} link, and links are not followed: put the data itself there")
        found = self.file.object(link, f"{self.name}/{name}")
        if not rest:
            return found
        return found.get(rest) if isinstance(found, Group) else None


class Dataset:
    """An array in the file: `shape`, `dtype` (in words if blobnet does not read it), and the numbers."""

    def __init__(self, file: File, name: str, messages: dict[int, list[Cursor]]):
        self.file, self.name = file, name
        first = {kind: found[0] for kind, found in messages.items()}
        if not {SHAPE, TYPE} <= set(first):
            raise Corrupt(0, "a dataset without a shape or a type")
        self.space = read_shape(first[SHAPE])
        self.dtype: Any = read_type(first[TYPE])
        self.shape, self.ndim = self.space.dims, len(self.space.dims)
        self._messages, self._origin = first, first[LAYOUT].origin

    @cached_property
    def _storage(self) -> tuple[int, Any]:
        """The kind of the layout, and the bytes themselves, their address, or how they are cut."""
        layout = self._messages[LAYOUT]
        version = layout.expect("a layout of version", 3, 4, 5)
        kind = layout.expect("a layout of kind", COMPACT, CONTIGUOUS, CHUNKED, VIRTUAL)
        if EXTERNAL in self._messages or kind == VIRTUAL:
            raise Corrupt(self._origin, "its numbers are in other files, which are not read: put them into this one")
        if kind == COMPACT:
            return kind, layout.take(layout.number(2))
        if kind == CONTIGUOUS:
            return kind, layout.number(8)
        filters = read_filters(self._messages.get(FILTERS))
        return kind, Chunks.read(layout, version, self.space, self.dtype, filters)

    def check(self, where: str) -> None:
        """Raise Corrupt if the numbers are not all in the file, DataError if they would take too much memory."""
        (kind, storage), size = self._storage, count_bytes(self.shape, self.dtype)
        if kind == COMPACT:
            if len(storage) < size:
                raise Corrupt(self._origin, f"{len(storage)} bytes for the shape {self.shape}")
        elif kind == CONTIGUOUS and storage != UNDEFINED:
            self.file.source.check(storage, size)
        else:
            size = storage.size if kind == CHUNKED else size
            require(size, where, f"shape {self.shape}", self.file.source.size)

    def read(self, where: str) -> np.ndarray:
        """The values. Raises as `check`, and Corrupt where they are damaged."""
        self.check(where)
        kind, storage = self._storage
        if kind == COMPACT:
            return np.frombuffer(storage, self.dtype, math.prod(self.shape)).reshape(self.shape)
        if kind == CONTIGUOUS and storage != UNDEFINED:
            return self.file.source.array(storage, self.shape, self.dtype)
        fill = read_fill(self._messages.get(FILL), self._messages.get(OLDER_FILL), self.dtype)
        values = np.full(self.shape, fill, self.dtype)
        if kind == CHUNKED and values.size:
            read_chunks(self.file.source, storage, values)
        return values


def _messages(source: Source, address: int) -> Iterator[tuple[int, Cursor]]:
    """Kind and content of every message in the header at `address`."""
    head = source.cursor(address, 16)
    if head.data.startswith(b"OHDR"):
        head.skip(4)
        head.expect("a header of version", 2)
        flags = head.number(1)
        head = source.cursor(address + 6, 28)
        head.skip((16 if flags & 32 else 0) + (4 if flags & 16 else 0))
        size = head.number(1 << (flags & 3))
        blocks, wide, tracked = [(address + 6 + head.position, size)], False, flags & 4
    else:
        head.expect("a header of version", 1)
        head.skip(7)
        blocks, wide, tracked = [(address + 16, head.number(4))], True, 0
    seen = set()
    while blocks:
        start, size = blocks.pop(0)
        if start in seen:
            raise Corrupt(start, "a header that goes on where it was before")
        seen.add(start)
        block = Cursor(source.read(start, size), start)
        smallest = 8 if wide else 6 if tracked else 4
        while block.left >= smallest:
            kind, size = block.number(2 if wide else 1), block.number(2)
            flags = block.number(1)
            block.skip(3 if wide else 2 if tracked else 0)
            place = start + block.position
            message = Cursor(block.take(size), place)
            if kind == CONTINUED:
                begin, size = message.numbers(2)
                blocks.append((begin, size) if wide else (begin + 4, size - 8))
                if not wide:
                    source.cursor(begin, 4, b"OCHK")
                if size < 8:
                    raise Corrupt(place, f"a header that goes on with {size} bytes")
            elif flags & SHARED and kind in (SHAPE, TYPE, FILL, FILTERS, LAYOUT):
                raise Corrupt(place, "a type or a shape that stands elsewhere in the file (a committed datatype)")
            else:
                yield kind, message
