"""Datasets of HDF5 files that are cut into chunks: where the chunks are, and the filters that they went through."""

from __future__ import annotations

import dataclasses
import math
import zlib
from collections.abc import Iterator

import numpy as np

from blobnet.proto.hdf5_bytes import LEAST, REREAD, UNDEFINED, Cursor, Source
from blobnet.proto.hdf5_links import tree_records
from blobnet.proto.hdf5_types import Shape
from blobnet.proto.wire import Corrupt

GZIP, SHUFFLE, FLETCHER32 = 1, 2, 3
NAMES = {4: "szip", 5: "nbit", 6: "scaleoffset", 32000: "lzf", 32001: "blosc", 32004: "lz4", 32015: "zstd"}
MOST_FILTERS = 32
TREE, SINGLE, IMPLICIT, FIXED, EXTENSIBLE, TREE_2 = range(6)  # kinds of indexes; the first is of older files
REMEDY = "write the dataset with gzip, or without compression"
Chunk = tuple[tuple[int, ...], int, int, int]  # place in the grid of chunks, address, stored bytes, filters passed over


@dataclasses.dataclass
class Chunks:
    """How a dataset is cut: `shape` of a chunk, `grid` of them (`most`: what it may become, None: without end)."""

    shape: tuple[int, ...]
    grid: tuple[int, ...]
    most: tuple[int | None, ...]
    dtype: np.dtype
    filters: list[int]
    index: int
    layout: Cursor
    sizes: int = 8   # bytes of the number that says how many bytes a chunk has

    @classmethod
    def read(cls, layout: Cursor, version: int, space: Shape, dtype: np.dtype, filters: list[int]) -> Chunks:
        """From the layout message, behind its kind."""
        flags = layout.number(1) if version > 3 else 0
        axes = layout.number(1)
        if version == 3:
            index, address = TREE, layout.number(8)
            dims = layout.numbers(axes, 4)
        else:
            dims = layout.numbers(axes, layout.number(1))
            index = layout.expect("an index of chunks of kind", SINGLE, IMPLICIT, FIXED, EXTENSIBLE, TREE_2)
            address = 0
        if axes != len(space.dims) + 1 or axes < 2 or 0 in dims or dims[-1] != dtype.itemsize:
            raise Corrupt(layout.origin, f"chunks of shape {dims[:-1]} and {dims[-1:]} bytes")
        if version == 3:
            layout = Cursor(address.to_bytes(8, "little"), layout.origin)
        if filters and (flags & 1 or index == SINGLE and not flags & 2):
            raise Corrupt(layout.origin, "chunks that did not all go through the filters")
        grid = tuple(-(-size // chunk) for size, chunk in zip(space.dims, dims))
        most = tuple(None if size is None else -(-size // chunk) for size, chunk in zip(space.most, dims))
        made = cls(dims[:-1], grid, most, dtype, filters, index, layout)
        if version == 4:  # later ones write the number with 8 bytes
            made.sizes = min(8, 1 + (made.chunk_bytes.bit_length() - 1 + 8) // 8)
        return made

    @property
    def chunk_bytes(self) -> int:
        return math.prod(self.shape) * self.dtype.itemsize

    @property
    def count(self) -> int:
        """How many chunks indexes have room for that count them one by one."""
        return math.prod(there if most is None else most for there, most in zip(self.grid, self.most))

    @property
    def size(self) -> int:
        """The bytes of all chunks, and those of one more."""
        return (math.prod(self.grid) + 1) * self.chunk_bytes


def read_filters(message: Cursor | None) -> list[int]:
    """The filters, in the order in which chunks were written; Corrupt for one that is not known."""
    if message is None:
        return []
    version, count = message.expect("filters of version", 1, 2), message.number(1)
    message.skip(6 if version == 1 else 0)
    filters = []
    for _ in range(count):
        kind = message.number(2)
        length = message.number(2) if version == 1 or kind >= 256 else 0
        message.skip(2)
        values = message.number(2)
        message.skip(length + 4 * values + (4 if version == 1 and values & 1 else 0))
        if kind not in (GZIP, SHUFFLE, FLETCHER32):
            raise Corrupt(message.origin, f"the filter {NAMES.get(kind, kind)}, of which blobnet has gzip, shuffle and "
                          f"fletcher32: {REMEDY}")
        filters.append(kind)
    if count > MOST_FILTERS:
        raise Corrupt(message.origin, f"{count} filters")
    return filters


def read_chunks(source: Source, chunks: Chunks, values: np.ndarray) -> None:
    """Fill `values` with the numbers of all chunks that are in the file."""
    if chunks.index in (IMPLICIT, FIXED, EXTENSIBLE) and 8 * chunks.count > REREAD * source.size + LEAST:
        raise Corrupt(chunks.layout.origin, f"{chunks.count} chunks, for which the file has no room")
    seen = set()
    for place, address, stored, mask in INDEXES[chunks.index](source, chunks):
        if address == UNDEFINED:
            continue
        if place in seen or any(not 0 <= at < count for at, count in zip(place, chunks.grid)):
            raise Corrupt(address, f"a chunk at {place}, twice or outside of {chunks.grid}")
        seen.add(place)
        filters = [kind for i, kind in enumerate(chunks.filters) if not mask >> i & 1]
        most = chunks.chunk_bytes + (chunks.chunk_bytes // 1000 + 1024 if filters else 0)
        if stored > most or not filters and stored != most:
            raise Corrupt(address, f"a chunk of {stored} bytes, not {chunks.chunk_bytes}")
        data = _unfilter(source.data(address, stored), filters, chunks, address)
        part = tuple(slice(at * size, (at + 1) * size) for at, size in zip(place, chunks.shape))
        inside = values[part]
        inside[...] = np.frombuffer(data, chunks.dtype).reshape(chunks.shape)[tuple(map(slice, inside.shape))]


def _unfilter(data: bytes, filters: list[int], chunks: Chunks, address: int) -> bytes:
    most = chunks.chunk_bytes + 4 * filters.count(FLETCHER32)
    for kind in reversed(filters):
        if kind == GZIP:
            unpacker = zlib.decompressobj()
            try:
                data = unpacker.decompress(data, most + 1)
            except zlib.error as error:
                raise Corrupt(address, f"a chunk that cannot be unpacked ({error})") from None
            if len(data) > most or not unpacker.eof:
                raise Corrupt(address, f"a chunk that unpacks to other than {chunks.chunk_bytes} bytes")
        elif kind == FLETCHER32:
            if len(data) < 4 or fletcher32(data[:-4]) != [part % 65535 for part in np.frombuffer(data[-4:], "<u2")]:
                raise Corrupt(address, "a chunk whose checksum is wrong")
            data = data[:-4]
        else:
            size = chunks.dtype.itemsize
            whole = len(data) // size * size
            data = np.frombuffer(data, np.uint8, whole).reshape(size, -1).T.tobytes() + data[whole:]
    if len(data) != chunks.chunk_bytes:
        raise Corrupt(address, f"a chunk of {len(data)} bytes, not {chunks.chunk_bytes}")
    return data


def fletcher32(data: bytes) -> list[int]:
    """Both sums of HDF5's checksum of `data`, modulo 65535, over its words of two bytes, the high one first."""
    words = np.frombuffer(data + b"\0" * (len(data) & 1), ">u2").astype(np.uint64)
    turns = np.arange(len(words), 0, -1, dtype=np.uint64) % 65535
    return [int(words.sum() % 65535), int((words * turns % 65535).sum() % 65535)]


def _older_tree(source: Source, chunks: Chunks) -> Iterator[Chunk]:
    address = chunks.layout.number(8)
    if address != UNDEFINED:
        yield from _node_chunks(source, chunks, address, None)


def _node_chunks(source: Source, chunks: Chunks, address: int, above: int | None) -> Iterator[Chunk]:
    axes = len(chunks.shape)
    node = source.cursor(address, 24, b"TREE")
    node.expect("a tree of kind", 1)
    level, count = node.number(1), node.number(2)
    if above is not None and level != above - 1:
        raise Corrupt(address, f"a node of level {level} below one of {above}")
    node = source.cursor(address + 24, count * (24 + 8 * axes)) if count else Cursor(b"")
    for _ in range(count):
        stored, mask = node.numbers(2, 4)
        starts = node.numbers(axes + 1)[:axes]
        child = node.number(8)
        if level:
            yield from _node_chunks(source, chunks, child, level)
            continue
        if any(start % size for start, size in zip(starts, chunks.shape)):
            raise Corrupt(address, f"a chunk that begins at {starts}, with chunks of {chunks.shape}")
        yield tuple(start // size for start, size in zip(starts, chunks.shape)), child, stored, mask


def _single(source: Source, chunks: Chunks) -> Iterator[Chunk]:
    stored, mask = (chunks.layout.number(8), chunks.layout.number(4)) if chunks.filters else (chunks.chunk_bytes, 0)
    yield (0,) * len(chunks.shape), chunks.layout.number(8), stored, mask


def _implicit(source: Source, chunks: Chunks) -> Iterator[Chunk]:
    address, size = chunks.layout.number(8), chunks.chunk_bytes
    if address != UNDEFINED:
        for i, place in enumerate(_places(chunks)):
            yield place, address + i * size, size, 0


def _places(chunks: Chunks) -> Iterator[tuple[int, ...]]:
    """The places of all chunks that there may become, the last axis fastest."""
    if None in chunks.most:
        raise Corrupt(chunks.layout.origin, "an index of a fixed size, for an axis without end")
    return np.ndindex(*chunks.most)


def _element(chunks: Chunks, cursor: Cursor) -> tuple[int, int, int]:
    """Address, stored bytes and filters passed over, as indexes have them."""
    address = cursor.number(8)
    return (address, cursor.number(chunks.sizes), cursor.number(4)) if chunks.filters else (
        address, chunks.chunk_bytes, 0)


def _check_element(chunks: Chunks, size: int, address: int) -> None:
    if size != (12 + chunks.sizes if chunks.filters else 8):
        raise Corrupt(address, f"an index with entries of {size} bytes")


def _fixed(source: Source, chunks: Chunks) -> Iterator[Chunk]:
    chunks.layout.skip(1)
    address = chunks.layout.number(8)
    if address == UNDEFINED:
        return
    head = source.cursor(address, 28, b"FAHD")
    head.skip(2)
    size, page, count, block = head.number(1), head.number(1), head.number(8), head.number(8)
    _check_element(chunks, size, address)
    if block == UNDEFINED:
        return
    if count != chunks.count:
        raise Corrupt(address, f"an index of {count} chunks, not {chunks.count}")
    source.cursor(block, 14, b"FADB")
    yield from ((place, *element) for place, element in zip(
        _places(chunks), _array(source, chunks, block + 14, count, size, 1 << min(page, 63))))


def _array(source: Source, chunks: Chunks, start: int, count: int, size: int, page: int,
           used: bytes | None = None) -> Iterator[tuple[int, int, int]]:
    """The elements of a block of an index, which has pages if it has more than `page` elements.

    used: which pages there are, a bit each; None: it stands at `start`.
    """
    if count <= page:
        block = source.cursor(start, count * size)
        yield from (_element(chunks, block) for _ in range(count))
        return
    pages = -(-count // page)
    if used is None:
        used = source.read(start, -(-pages // 8))
        start += len(used) + 4
    for number in range(pages):
        inside = min(page, count - number * page)
        if used[number // 8] >> 7 - number % 8 & 1:
            block = source.cursor(start + number * (page * size + 4), inside * size)
            yield from (_element(chunks, block) for _ in range(inside))
        else:
            yield from ((UNDEFINED, 0, 0) for _ in range(inside))


def _extensible(source: Source, chunks: Chunks) -> Iterator[Chunk]:
    chunks.layout.skip(5)
    address = chunks.layout.number(8)
    unlimited = chunks.most.index(None) if None in chunks.most else 0
    others = [i for i in range(len(chunks.grid)) if i != unlimited]
    dims = [chunks.most[i] for i in others]
    if None in dims:
        raise Corrupt(address, "an index for one axis without end, where there are more")
    if address == UNDEFINED:
        return
    turn = math.prod(dims)
    for number, element in enumerate(_growing(source, chunks, address, chunks.grid[unlimited] * turn)):
        first, rest = divmod(number, turn)
        place = [0] * len(chunks.grid)
        place[unlimited] = first
        for axis, at in zip(others, np.unravel_index(rest, dims) if dims else ()):
            place[axis] = int(at)
        yield tuple(place), *element


def _growing(source: Source, chunks: Chunks, address: int, count: int) -> Iterator[tuple[int, int, int]]:
    """The first `count` elements of an array whose blocks grow."""
    head = source.cursor(address, 72, b"EAHD")
    head.skip(2)
    size, bits, inline, smallest, pointers, page = (head.number(1) for _ in range(6))
    head.skip(48)
    index = head.number(8)
    _check_element(chunks, size, address)
    powers = all(number and number & number - 1 == 0 for number in (smallest, pointers))
    if not powers or bits > 64 or page > 63 or pointers < 2 or bits < smallest.bit_length():
        raise Corrupt(address, "an index whose sizes fit no index")
    if index == UNDEFINED:
        return
    levels = 1 + bits - (smallest.bit_length() - 1)
    direct = 2 * (pointers.bit_length() - 1)  # levels whose blocks the index names itself
    block = source.cursor(index, 14 + inline * size + 8 * (2 * (pointers - 1) + levels), b"EAIB")
    block.skip(10)
    left = count
    elements = [_element(chunks, block) for _ in range(inline)]
    yield from elements[:left]
    left -= inline
    place = -(-bits // 8)
    for level in range(levels):
        if left <= 0:
            return
        blocks, each = 1 << level // 2, smallest << (level + 1) // 2
        used = None
        if level < direct:
            addresses, marks = block.numbers(blocks), [b""] * blocks
        else:
            super_block, width = block.number(8), -(-each >> page) if each > 1 << page else 0
            width = -(-width // 8)
            if super_block == UNDEFINED:
                addresses, marks = (UNDEFINED,) * blocks, [b""] * blocks
            else:
                below = source.cursor(super_block, 14 + place + blocks * (width + 8), b"EASB")
                below.skip(10 + place)
                marks = [below.take(width) for _ in range(blocks)]
                addresses = below.numbers(blocks)
        for found, used in zip(addresses, marks):
            inside = max(0, min(left, each))
            if found == UNDEFINED:
                yield from ((UNDEFINED, 0, 0) for _ in range(inside))
            elif inside:
                source.cursor(found, 14 + place, b"EADB")
                start = found + 14 + place + (4 if each > 1 << page else 0)
                array = _array(source, chunks, start, each, size, 1 << page, used)
                yield from (element for element, _ in zip(array, range(inside)))
            left -= each


def _newer_tree(source: Source, chunks: Chunks) -> Iterator[Chunk]:
    chunks.layout.skip(6)
    address, axes = chunks.layout.number(8), len(chunks.shape)
    if address == UNDEFINED:
        return
    for record in tree_records(source, address, 11 if chunks.filters else 10):
        cursor = Cursor(record, address)
        element = _element(chunks, cursor)
        yield cursor.numbers(axes), *element


INDEXES = {TREE: _older_tree, SINGLE: _single, IMPLICIT: _implicit, FIXED: _fixed, EXTENSIBLE: _extensible,
           TREE_2: _newer_tree}
