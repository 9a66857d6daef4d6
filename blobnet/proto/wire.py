"""Protobuf's wire format: a scanner that checks a binary message and cuts large arrays out of it.

Source: https://protobuf.dev/programming-guides/encoding/. A field is a varint `number << 3 | wire type` and a value.
Protobuf itself cannot say where a file is broken, cannot read more than 2 GB, and makes every weight a Python float.
"""

from __future__ import annotations

from collections import Counter

import numpy as np
from google.protobuf.descriptor import Descriptor
from google.protobuf.descriptor import FieldDescriptor as Field

VARINT, FIXED64, BYTES, GROUP, END_GROUP, FIXED32 = range(6)
DEPTH = 100  # levels of messages or groups that protobuf reads
ITEM = {"data": "<f4", "diff": "<f4", "double_data": "<f8", "double_diff": "<f8"}  # the arrays of a BlobProto
FIXED = {"<f4": FIXED32, "<f8": FIXED64}
NAMES = ("name", "type", "bottom", "top")  # strings that others refer to


class Corrupt(Exception):
    """What is wrong at the byte `offset`; `path` are the fields around it, outermost first.

    cut: whether something runs past the end; value: if a field does, its number, wire type, begin and size.
    """

    def __init__(self, offset: int, reason: str, cut: bool = False, value: tuple[int, int, int, int] | None = None):
        super().__init__(reason)
        self.offset, self.cut, self.value = offset, cut, value
        self.path: list[str] = []


def varint(number: int) -> bytes:
    """`number` >= 0 as a varint: seven bits a byte, least first.

    >>> varint(300).hex()
    'ac02'
    """
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes([*out, number])


def tag(number: int, wire: int) -> bytes:
    return varint(number << 3 | wire)


def read_varint(view: memoryview, position: int, end: int) -> tuple[int, int]:
    """The varint at `position` and the position after it."""
    value = shift = 0
    for here in range(position, min(end, position + 10)):
        value |= (view[here] & 127) << shift
        if view[here] < 128:
            return value, here + 1
        shift += 7
    if end - position < 10:
        raise Corrupt(position, "a number runs past the end", cut=True)
    raise Corrupt(position, "a number of more than 10 bytes")


def read_field(view: memoryview, position: int, end: int) -> tuple[int, int, int, int]:
    """The field at `position`: its number and wire type, and where its value begins and ends."""
    key, begin = read_varint(view, position, end)
    number, wire = key >> 3, key & 7
    if not 0 < number < 1 << 29 or wire > FIXED32 or wire == END_GROUP:
        raise Corrupt(position, f"no field starts with {bytes(view[position:begin]).hex()}")
    if wire == VARINT:
        return number, wire, begin, read_varint(view, begin, end)[1]
    if wire == GROUP:
        return number, wire, begin, _end_of_group(view, begin, end, number)
    if wire == BYTES:
        size, begin = read_varint(view, begin, end)
    else:
        size = 8 if wire == FIXED64 else 4
    if size > end - begin:
        raise Corrupt(position, f"a value of {size} bytes, of which {end - begin} are there", True,
                      (number, wire, begin, size))
    return number, wire, begin, begin + size


def _end_of_group(view: memoryview, position: int, end: int, number: int) -> int:
    numbers = [number]  # of the open groups; not recursive, since a file may nest them deeper than Python may call
    while numbers:
        key, begin = read_varint(view, position, end)
        if key & 7 == GROUP:
            if len(numbers) == DEPTH:
                raise Corrupt(position, f"more than {DEPTH} levels of groups")
            numbers.append(key >> 3)
            position = begin
        elif key & 7 == END_GROUP:
            if key >> 3 != numbers.pop():
                raise Corrupt(position, "the end of a group that is not open")
            position = begin
        else:
            position = read_field(view, position, end)[3]
    return position


def scan(view: memoryview, message: Descriptor, arrays: list[dict[str, np.ndarray]] | None = None) -> bytes:
    """Check that `view` holds a `message`; return it as protobuf can read it. Raises Corrupt.

    If `arrays` is a list, the arrays of every BlobProto are appended to it as a dict {"data": …, "diff": …}, 1-D, and
    the blob's field `array` is their index; the bytes returned are then small. Arrays that stand in `view` in one piece
    are parts of it, which may not be aligned.
    """
    return b"".join(_scan(view, 0, len(view), message, arrays, True))


def _scan(view: memoryview, position: int, end: int, message: Descriptor, arrays, last: bool = False,
          depth: int = 1) -> list[bytes]:
    """`last`: the message ends with the file, so that a value which runs past its end was cut off."""
    if depth > DEPTH:
        raise Corrupt(position, f"more than {DEPTH} levels of messages")
    out: list[bytes] = []
    found: dict = {}
    counts: Counter[int] = Counter()
    label = "the start"
    while position < end:
        start = position
        try:
            number, wire, begin, position = read_field(view, start, end)
        except Corrupt as error:
            if last and error.value and error.offset == start:  # not of a field in a group
                _raise_cut(view, end, message, counts, *error.value)
            raise Corrupt(error.offset, f"after {label}: {error}", error.cut and last) from None
        field = message.fields_by_number.get(number)
        if field is not None:
            label = _label(field, counts)
            counts[number] += 1
        try:
            if field is None:
                out.append(bytes(view[start:position]))
            elif message.name == "BlobProto" and field.name == "array":
                pass  # belongs to the message in memory, means nothing in a file
            elif arrays is not None and (item := _item(message, field)) and wire in (BYTES, FIXED[item]):
                position, values = _take(view, start, begin, position, end, wire, item)
                found.setdefault(field.name, []).append(values)
            elif field.type == Field.TYPE_MESSAGE and wire == BYTES:
                inner = b"".join(_scan(view, begin, position, field.message_type, arrays, depth=depth + 1))
                out += tag(number, BYTES), varint(len(inner)), inner
            else:
                if field.type == Field.TYPE_STRING and wire == BYTES:
                    out += tag(number, BYTES), *_utf8(view, begin, position, field.name)
                else:
                    out.append(bytes(view[start:position]))
        except Corrupt as error:
            error.path.insert(0, label)
            raise
    if found:
        out += tag(message.fields_by_name["array"].number, VARINT), varint(len(arrays))
        arrays.append({name: np.concatenate(chunks) if chunks[1:] else chunks[0] for name, chunks in found.items()})
    return out


def _label(field: Field, counts: Counter) -> str:
    return f"{field.name}[{counts[field.number]}]" if field.is_repeated else field.name


def _raise_cut(view: memoryview, end: int, message: Descriptor, counts: Counter, number: int, wire: int, begin: int,
               size: int) -> None:
    """Raise Corrupt for the innermost value that the end of the file cuts, if the schema has the one at `begin`.

    If what is there of it is damaged, nothing is raised: its size may be wrong as well.
    """
    field = message.fields_by_number.get(number)
    if field is None:
        return
    label = field.name if _item(message, field) else _label(field, counts)
    found = Corrupt(end, f"cut off here, {size - (end - begin)} of its {size} bytes are missing", True)
    if field.type == Field.TYPE_MESSAGE and wire == BYTES:
        if name := _name(view, begin, end, field.message_type):
            label += f" {name!r}"
        try:
            _scan(view, begin, end, field.message_type, [], True)
        except Corrupt as deeper:
            if not deeper.cut:
                return
            found = deeper
    found.path.insert(0, label)
    raise found from None


def _name(view: memoryview, position: int, end: int, message: Descriptor) -> str:
    """The field `name` of the message at `position`, as far as it is there; empty without one."""
    field = message.fields_by_name.get("name")
    while field is not None and position < end:
        try:
            number, wire, begin, position = read_field(view, position, end)
        except Corrupt:
            break
        if (number, wire) == (field.number, BYTES):
            return bytes(view[begin:position]).decode("utf-8", "replace")
    return ""


def _item(message: Descriptor, field: Field) -> str | None:
    return ITEM.get(field.name) if message.name == "BlobProto" else None


def _take(view: memoryview, start: int, begin: int, stop: int, end: int, wire: int, item: str):
    """The position after a packed field, or after a run of unpacked ones, and their numbers."""
    size = int(item[-1])
    if wire == BYTES:
        if (stop - begin) % size:
            raise Corrupt(begin, f"{stop - begin} bytes are not a whole number of {size}-byte values")
        return stop, np.frombuffer(view, item, (stop - begin) // size, begin)
    octets, step = np.frombuffer(view, np.uint8), stop - start
    count, chunk, most = 1, 64, (end - start) // step
    while count < most:  # look ahead in growing chunks for the first record with another tag
        tags = octets[start + count * step:start + min(count + chunk, most) * step:step]
        other = np.flatnonzero(tags != octets[start])
        count += int(other[0]) if other.size else len(tags)
        if other.size:
            break
        chunk *= 2
    records = octets[start:start + count * step].reshape(count, step)
    return start + count * step, np.ascontiguousarray(records[:, begin - start:]).view(item)[:, 0]


def _utf8(view: memoryview, begin: int, end: int, field: str) -> tuple[bytes, bytes]:
    """The string in view[begin:end], with its length before it; read as Latin-1 where it is not UTF-8.

    Paths were written in the encoding of the machine that trained the net. Names must be UTF-8.
    """
    text = bytes(view[begin:end])
    try:
        text.decode("utf-8")
    except UnicodeDecodeError as error:
        if field in NAMES:
            raise Corrupt(begin + error.start, "a string that is not UTF-8") from None
        text = text.decode("latin-1").encode("utf-8")
    return varint(len(text)), text
