"""The names in the groups of HDF5 files: symbol tables, as files have since ever, and links, as newer libraries write.

Only a link to an object of the same file counts (a hard one). Others are kept as text, what they are called: a path in
this file (a soft link), another file (an external one), or code's business (a user-defined one). Nothing follows them.
"""

from __future__ import annotations

from collections.abc import Iterator

from blobnet.proto.hdf5_bytes import UNDEFINED, Cursor, Source
from blobnet.proto.wire import Corrupt

Links = dict[str, "int | str"]  # name: address of the object's header, or what kind of link it is
HARD, SOFT, EXTERNAL = 0, 1, 64
NODE_HEAD = 24


def symbol_table(source: Source, message: Cursor) -> Links:
    """The links of a group with a symbol table."""
    tree, heap = message.numbers(2)
    head = source.cursor(heap, 32, b"HEAP")
    head.skip(4)
    size, _, start = head.numbers(3)
    names = source.read(start, size)
    links: Links = {}
    for entries in _leaves(source, tree, None):
        table = source.cursor(entries, 8, b"SNOD")
        table.expect("a symbol table of version", 1)
        table.skip(1)
        count = table.number(2)
        table = source.cursor(entries + 8, 40 * count) if count else Cursor(b"")
        for _ in range(count):
            place, address = table.numbers(2)
            kind = table.number(4)
            table.skip(20)
            end = names.find(b"\0", place)
            if end < 0:
                raise Corrupt(start + place, "a name without an end")
            links[_text(names[place:end])] = "soft" if kind == 2 else address
    return links


def _leaves(source: Source, address: int, above: int | None) -> Iterator[int]:
    """The addresses of the symbol tables below a node of the tree."""
    node = source.cursor(address, NODE_HEAD, b"TREE")
    node.expect("a tree of kind", 0)
    level, count = node.number(1), node.number(2)
    if above is not None and level != above - 1:
        raise Corrupt(address, f"a node of level {level} below one of {above}")
    node = source.cursor(address + NODE_HEAD, 16 * count) if count else Cursor(b"")
    for _ in range(count):
        node.skip(8)
        child = node.number(8)
        if level:
            yield from _leaves(source, child, level)
        else:
            yield child


def read_link(message: Cursor) -> tuple[str, int | str]:
    """Name and address in one link message."""
    message.expect("a link of version", 1)
    flags = message.number(1)
    kind = message.number(1) if flags & 8 else HARD
    message.skip((8 if flags & 4 else 0) + (1 if flags & 16 else 0))
    name = _text(message.take(message.number(1 << (flags & 3))))
    if kind == HARD:
        return name, message.number(8)
    return name, {SOFT: "soft", EXTERNAL: "external"}.get(kind, "user-defined")


def dense_links(source: Source, info: Cursor) -> Links:
    """The links that a group has in a heap, as its link info says; none if it has no heap."""
    info.expect("links of version", 0)
    info.skip(8 if info.number(1) & 1 else 0)
    heap_address, tree = info.numbers(2)
    if heap_address == UNDEFINED:
        return {}
    heap = _Heap(source, heap_address)
    return dict(read_link(Cursor(heap.find(record[4:]), heap_address)) for record in tree_records(source, tree, 5))


class _Heap:
    """A heap of small objects, which lie in blocks of growing size."""

    def __init__(self, source: Source, address: int):
        self.source, self.address = source, address
        head = source.cursor(address, 146, b"FRHP")
        head.expect("a heap of version", 0)
        head.skip(2)
        if head.number(2):
            raise Corrupt(address, "a heap with filters")
        head.skip(1)
        largest = head.number(4)
        head.skip(96)
        self.width, self.first, self.most = head.number(2), head.number(8), head.number(8)
        self.bits = head.number(2)
        head.skip(2)
        self.root, self.rows = head.number(8), head.number(2)
        powers = all(size and size & size - 1 == 0 for size in (self.width, self.first, self.most))
        if not powers or not 0 < self.bits <= 64 or self.most < self.first or self.rows > 64:
            raise Corrupt(address, "a heap whose sizes fit no heap")
        self.place = -(-self.bits // 8)
        self.length = min(-(-(self.most.bit_length() - 1) // 8), _width(largest))

    def find(self, key: bytes) -> bytes:
        """The object of a heap ID."""
        cursor = Cursor(key, self.address)
        if cursor.number(1) & 0xF0:
            raise Corrupt(self.address, "an object that is not in the blocks of its heap")
        offset, size = cursor.number(self.place), cursor.number(self.length)
        start, begin, length = self._block(self.root, self.rows, offset)
        if offset + size > begin + length:
            raise Corrupt(start, f"an object of {size} bytes outside of its block")
        return self.source.read(start + offset - begin, size)

    def _block(self, address: int, rows: int, offset: int) -> tuple[int, int, int]:
        """The block that holds the byte `offset`: its address, the byte that it begins with, and its size."""
        begin = 0
        if not rows:
            return address, 0, self.first
        while True:
            row, start, size = 0, 0, self.first
            while offset - begin >= start + self.width * size and row < rows:
                start += self.width * size
                row += 1
                size = self.first << max(0, row - 1)
            if row >= rows:
                raise Corrupt(address, f"an object at {offset}, outside of its heap")
            column = (offset - begin - start) // size
            head = self.source.cursor(address, 13 + self.place, b"FHIB")
            head.expect("a block of version", 0)
            child = self.source.cursor(address + 13 + self.place + 8 * (row * self.width + column), 8).number(8)
            begin += start + column * size
            if size <= self.most:
                return child, begin, size
            address, rows = child, (size // self.first // self.width).bit_length()


def tree_records(source: Source, address: int, kind: int) -> Iterator[bytes]:
    """The records of a tree of version 2."""
    head = source.cursor(address, 38, b"BTHD")
    head.expect("a tree of version", 0)
    head.expect("a tree of kind", kind)
    size, width, depth = head.number(4), head.number(2), head.number(2)
    head.skip(2)
    root, count = head.number(8), head.number(2)
    if not width or size < width + 10 or depth > 64:
        raise Corrupt(address, f"a tree with nodes of {size} bytes, records of {width}")
    most = total = (size - 10) // width
    number, widths = _width(most), [0]  # widths: of the number of all records below a node, by level
    for _ in range(depth):
        pointer = 8 + number + widths[-1]
        here = max(0, size - 10 - pointer) // (width + pointer)
        total = (here + 1) * total + here
        widths.append(_width(total))
    if root != UNDEFINED:
        yield from _node_records(source, root, kind, depth, count, width, number, widths)


def _node_records(source: Source, address: int, kind: int, depth: int, count: int, width: int, number: int,
                  widths: list[int]) -> Iterator[bytes]:
    pointer = 8 + number + widths[depth - 1] if depth else 0
    node = source.cursor(address, 6 + count * width + (count + 1) * pointer, b"BTIN" if depth else b"BTLF")
    node.expect("a node of version", 0)
    node.expect("a node of kind", kind)
    records = [node.take(width) for _ in range(count)]
    for i in range(count + 1 if depth else 0):
        child, inside = node.number(8), node.number(number)
        node.skip(widths[depth - 1])
        yield from _node_records(source, child, kind, depth - 1, inside, width, number, widths)
        yield from records[i:i + 1]
    if not depth:
        yield from records


def _width(most: int) -> int:
    """The bytes that hold a number up to `most`."""
    return max(0, most.bit_length() - 1) // 8 + 1


def _text(name: bytes) -> str:
    return name.decode("utf-8", "surrogateescape")
