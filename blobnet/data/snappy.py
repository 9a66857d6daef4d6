"""Unpacking of Snappy, the compression of LevelDB's blocks.

Source: https://github.com/google/snappy/blob/main/format_description.txt
"""

from __future__ import annotations

from blobnet.proto.wire import Corrupt, read_varint

MOST = 22  # times larger at most: a copy of 64 bytes takes 3


def unsnap(data: memoryview) -> bytes:
    """What `data` unpacks to; raises Corrupt with the offset where it is broken.

    A packed text is its length and then pieces: literals, and copies from what was unpacked before.

    >>> unsnap(memoryview(bytes([11, 4, 97, 98, 21, 2])))
    b'abababababa'
    """
    length, position = read_varint(data, 0, len(data))
    if length > MOST * len(data):
        raise Corrupt(0, f"a length of {length} for {len(data)} packed bytes")
    out = bytearray()
    end = len(data)
    while position < end:
        tag, start = data[position], position
        kind = tag & 3
        extra = max(0, (tag >> 2) - 59) if kind == 0 else kind if kind < 3 else 4
        number = int.from_bytes(data[position + 1:position + 1 + extra], "little")
        position += 1 + extra
        if kind == 0:
            size = 1 + (number if extra else tag >> 2)
            if size > end - position:
                raise Corrupt(start, f"a literal of {size} bytes, of which {max(end - position, 0)} are there")
            out += data[position:position + size]
            position += size
        else:
            size, back = (4 + (tag >> 2 & 7), (tag >> 5) << 8 | number) if kind == 1 else (1 + (tag >> 2), number)
            if position > end or not 0 < back <= len(out):
                raise Corrupt(start, f"a copy from {back} bytes back, after {len(out)}")
            if back >= size:
                first = len(out) - back
                out += out[first:first + size]
            else:  # it repeats itself
                out += (out[-back:] * -(-size // back))[:size]
        if len(out) > length:
            raise Corrupt(start, f"more than the {length} bytes that were announced")
    if len(out) != length:
        raise Corrupt(end, f"{len(out)} bytes of {length}")
    return bytes(out)
