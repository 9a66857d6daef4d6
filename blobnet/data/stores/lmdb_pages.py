"""The pages of an LMDB file, read with every step checked: the LMDB library trusts files, and dies with a damaged one.

The file is pages of one size. The first two are heads, of which the one with the higher transaction number counts; it
names the root of a tree. Branch pages hold keys and numbers of pages, leaf pages keys and values; a value that is too
large for a leaf has pages of its own.
Source: https://github.com/LMDB/lmdb/blob/LMDB_0.9.33/libraries/liblmdb/mdb.c, for 64-bit machines, least byte first.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

from blobnet.proto.wire import Corrupt

MAGIC, VERSION = 0xBEEFC0DE, 1
META = struct.Struct("<16xII16xI48xHH24xQQQQ")  # magic, version, page size, flags, depth, records, root, last page, txn
PAGE = struct.Struct("<Q2xHHH")  # its own number, kind, end of the table of nodes, start of the nodes
NODE = struct.Struct("<IHH")  # size of the value (or number of the child, with the flags), flags, size of the key
NUMBER = struct.Struct("<Q")
BRANCH, LEAF, OVERFLOW, HEAD, DIRTY = 1, 2, 4, 8, 16  # kinds of pages
DUPLICATES, BIG = 4, 1  # flags of a tree, of a node
NO_PAGE = 2**64 - 1
MOST_LEVELS = 32  # the library's own limit


class Tree(NamedTuple):
    """What the head says: the size of a page in bytes, the levels of the tree, its records, its root."""

    page_size: int
    depth: int
    records: int
    root: int


def read_head(view: memoryview) -> Tree:
    """The tree in the LMDB file `view`; raises Corrupt if there is none, or if the file is cut off."""
    if len(view) < PAGE.size + META.size:
        raise Corrupt(0, f"an LMDB has more than {len(view)} bytes")
    size = META.unpack_from(view)[2]
    heads = []
    for start in (0, size):
        if start + META.size > len(view):
            raise Corrupt(start, f"the second head is cut off, at byte {len(view)}")
        magic, version, page_size, *rest = META.unpack_from(view, start)
        if magic != MAGIC or not PAGE.unpack_from(view, start)[1] & HEAD:
            raise Corrupt(start, "no head of an LMDB of a 64-bit machine")
        if version != VERSION:
            raise Corrupt(start, f"version {version} of the format, not {VERSION}")
        if page_size != size or not 256 <= size <= 1 << 16:
            raise Corrupt(start, f"pages of {size} and {page_size} bytes")
        heads.append(rest)
    flags, depth, records, root, last, _ = max(heads, key=lambda head: head[-1])
    if flags & DUPLICATES:
        raise Corrupt(0, "several values for a key (MDB_DUPSORT), which Caffe does not write")
    if depth > MOST_LEVELS or records > len(view) // NODE.size:
        raise Corrupt(0, f"{records} records in {depth} levels of pages, for which the file has no room")
    if (last + 1) * size > len(view):
        raise Corrupt(len(view), f"the file ends here, and should have {(last + 1) * size} bytes")
    return Tree(size, depth, 0 if root == NO_PAGE else records, root)


def records(view: memoryview, tree: Tree) -> Iterator[tuple[memoryview, memoryview]]:
    """The keys in their order and the values, as parts of `view`. Raises Corrupt."""
    size, open_pages, left = tree.page_size, [(tree.root, 1)], len(view)
    while open_pages:
        page, depth = open_pages.pop()
        start = _find(view, page, size, LEAF if depth == tree.depth else BRANCH)
        count = PAGE.unpack_from(view, start)[2] - PAGE.size >> 1
        if not 0 < count <= (size - PAGE.size) // 2:
            raise Corrupt(start, f"a page of {count} nodes")
        nodes = [start + place for place in struct.unpack_from(f"<{count}H", view, start + PAGE.size)]
        if max(nodes) + NODE.size > start + size:
            raise Corrupt(start, "a node outside of its page")
        if depth == tree.depth:
            for node in nodes:
                key, value = _record(view, node, start + size, size)
                left -= NODE.size + len(key) + len(value)
                if left < 0:
                    raise Corrupt(node, "more than the whole file has in its records: pages are named several times")
                yield key, value
        else:
            numbers = (NODE.unpack_from(view, node) for node in reversed(nodes))
            open_pages += [(low | high << 32, depth + 1) for low, high, _ in numbers]


def _record(view: memoryview, node: int, end: int, size: int) -> tuple[memoryview, memoryview]:
    """Key and value of the leaf's node at the byte `node`, in the page that ends at `end`."""
    length, flags, width = NODE.unpack_from(view, node)
    begin = node + NODE.size + width
    key = view[begin - width:begin]
    if flags & ~BIG or begin + (NUMBER.size if flags else length) > end:
        raise Corrupt(node, f"a record of {length} bytes (flags {flags}) that does not fit its page")
    if flags:
        begin = _find(view, NUMBER.unpack_from(view, begin)[0], size, OVERFLOW) + PAGE.size
        if begin + length > len(view):
            raise Corrupt(node, f"a record of {length} bytes, of which {len(view) - begin} are there")
    return key, view[begin:begin + length]


def _find(view: memoryview, page: int, size: int, kind: int) -> int:
    """The byte at which `page` begins; raises Corrupt unless it is a page of this kind."""
    start = page * size
    if start + size > len(view):
        raise Corrupt(len(view), f"page {page} is outside of the file")
    number, found, *_ = PAGE.unpack_from(view, start)
    if number != page or found & ~DIRTY != kind:
        raise Corrupt(start, f"a page of number {number}, kind {found}, instead of {page}, {kind}")
    return start
