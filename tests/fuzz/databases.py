"""Damages of databases: headers and nodes of an LMDB's pages, blocks of LevelDB's tables with checksums that are right.

And LevelDBs whose blocks are packed with Snappy, as LevelDB itself writes them.
"""

from unittest import mock

import cramjam

from blobnet.data.stores import leveldb_table
from blobnet.data.stores.leveldb_format import checksum
from blobnet.proto.wire import read_varint, varint

PAGE = 4096
META = ((16, 4), (20, 4), (32, 8), (40, 4), (44, 2), (46, 2), (72, 8), (80, 8), (88, 4), (92, 2), (94, 2), (120, 8),
        (128, 8), (136, 8), (144, 8))  # (place, width) of the numbers in a page that begins the file
HEADER = ((0, 8), (10, 2), (12, 2), (14, 2))
NODE = ((0, 2), (2, 2), (4, 2), (6, 2))


def packed_leveldb():
    """In this context LevelDbWriter packs its blocks: `with packed_leveldb(): …`."""
    return mock.patch.object(leveldb_table, "write_block", write_packed)


def write_packed(file, block):
    """leveldb_block.write_block, with Snappy."""
    content, start = bytes(cramjam.snappy.compress_raw(block.bytes())) + b"\1", file.tell()
    file.write(content + checksum(content).to_bytes(4, "little"))
    return varint(start) + varint(len(content) - 1)


def lmdb(data, rng):
    """A number in the header, the table or a node of a page becomes another, such as that of another page."""
    number = rng.randrange(len(data) // PAGE)
    start, place, width = number * PAGE, *rng.choice(META if number < 2 else HEADER)
    lower = int.from_bytes(data[start + 12:start + 14], "little")
    if number > 1 and rng.random() < 0.7 and 16 < lower < PAGE:
        place, width = 16 + 2 * rng.randrange((lower - 16) // 2), 2
        node = int.from_bytes(data[start + place:start + place + 2], "little")
        if rng.random() < 0.7 and node + 8 <= PAGE:
            place, width = rng.choice(NODE)
            place += node
    pages = len(data) // PAGE
    value = rng.choice([0, 1, 2, 4, 8, 2**16 - 1, 2**15, 2**64 - 1, 2**31, pages, number, rng.randrange(pages), PAGE,
                        PAGE - 1, 15, 17]) % 2 ** (8 * width)
    place += start
    return data[:place] + value.to_bytes(width, "little") + data[place + width:], f"{width} bytes at {place}: {value}"


def leveldb(data, rng):
    """A number in a block becomes another: of an entry, of the places, the kind; or where the blocks are, in the end.
    """
    footer = memoryview(data)[-48:]
    handles, place = [], 0
    for _ in range(4):
        value, place = read_varint(footer, place, len(footer))
        handles.append(value)
    sizes = [0, 1, 4, 127, len(data), len(data) - 48, 2**31, 2**32 - 1, 2**63, *handles]
    if rng.random() < 0.2:
        handles[rng.randrange(4)] = value = rng.choice(sizes)
        return data[:-48] + b"".join(map(varint, handles))[:40].ljust(40, b"\0") + data[-8:], f"handle: {value}"
    start, length = rng.choice([(0, handles[0]), (handles[0], handles[1]), (handles[2], handles[3])])
    length = min(length, 1 << 16)
    block, kind = bytearray(data[start:start + length]), data[start + length:start + length + 1]
    value, what = rng.choice(sizes), rng.randrange(4)
    if what == 0:
        block[-4:] = (value % 2**32).to_bytes(4, "little")
    elif what == 1:
        kind = bytes([rng.choice([1, 2, 255])])
    else:
        at = rng.randrange(min(3, len(block))) if what == 2 else rng.randrange(len(block))
        number = varint(value)
        block[at:at + len(number)] = number
        block = block[:length]
    trailer = checksum(bytes(block) + kind).to_bytes(4, "little")
    end = start + length + 5
    return data[:start] + bytes(block) + kind + trailer + data[end:], f"block at {start}: change {what}, {value}"
