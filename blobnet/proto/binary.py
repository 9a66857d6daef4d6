"""Messages in protobuf's binary format: .caffemodel, .solverstate, .binaryproto.

Weights stay arrays all the way: reading gives a small message and a list of arrays beside it, writing takes the same
pair. A blob says by its field `array` which entry is its own, so messages can be copied and rearranged freely.
"""

from __future__ import annotations

import mmap
import os
import re
from collections.abc import Sequence
from functools import cache

import numpy as np
from google.protobuf.descriptor import Descriptor
from google.protobuf.message import DecodeError, Message

from blobnet.errors import ParseError
from blobnet.proto import messages, wire
from blobnet.proto.hdf5_bytes import SIGNATURE
from blobnet.proto.storage import atomic_write, require_file

Arrays = Sequence[dict[str, np.ndarray]]
STATE = re.compile(rb"\x08[\x80-\xff]*[\x00-\x7f]\x12")  # iter and learned_net, with which a SolverState begins
FORKS = {  # layer type: its parameters, and the numbers that forks give them
    "BN": ("bn_param", {137, 152, 200}),
    "BatchTripletLoss": ("triplet_loss_param", {201}),
    "BoxAnnotatorOHEM": ("box_annotator_ohem_param", {152}),
    "CenterLoss": ("center_loss_param", {147, 211}),
    "DenseImageData": ("dense_image_data_param", {138}),
    "HashingLoss": ("hashing_loss_param", {145}),
    "Interp": ("interp_param", {143, 301}),
    "LiftedStructSimilaritySoftmaxLoss": ("lifted_struct_sim_softmax_loss_param", {145}),
    "Lstm": ("lstm_param", {140, 201}),
    "MarginInnerProduct": ("margin_inner_product_param", {147}),
    "MultiBoxLoss": ("multibox_loss_param", {201}),
    "NaiveTripletLoss": ("triplet_loss_param", {201}),
    "Normalize": ("norm_param", {206}),
    "PSROIPooling": ("psroi_pooling_param", {153, 220}),
    "PairwiseRankingLoss": ("triplet_loss_param", {201}),
    "Permute": ("permute_param", {224}),
    "PriorBox": ("prior_box_param", {203}),
    "Proposal": ("proposal_param", {219}),
    "ROIPooling": ("roi_pooling_param", {150, 154, 204}),
    "RegionLoss": ("region_loss_param", {600, 8266733}),
    "Reverse": ("reverse_param", {143}),
    "ScaleTanH": ("scale_tanh_param", {147}),
    "SegAccuracy": ("seg_accuracy_param", {144}),
    "SmoothL1Loss": ("smooth_l1_loss_param", {148}),
    "Transpose": ("transpose_param", {142}),
    "TripletLoss": ("triplet_loss_param", {146, 201, 203}),
    "Upsample": ("upsample_param", {137}),
    "VideoData": ("video_data_param", {6660}),
}
IMAGES = {b"\x89PNG\r\n": "PNG", b"\xff\xd8\xff": "JPEG", b"GIF8": "GIF"}
TEXTS = (  # what is taken for a message: how it begins, and what to do
    (re.compile(rb"version https://git-lfs"), "this is a git-lfs pointer: fetch the file itself with git lfs pull"),
    (re.compile(rb"\s*<(!doctype|html)", re.IGNORECASE), "a web page was saved: download the file itself"),
    (re.compile(rb"[\t-\r -~]{16}"), "name it .prototxt if it is one"),
)


def parse_binary(data: bytes, message_name: str, origin: str = "bytes") -> Message:
    """The message `message_name` that `data` holds. Fields unknown to the schema are kept.

    Raises ParseError with the byte and the field where `data` is truncated or broken.
    """
    return _parse(memoryview(data), message_name, origin, None)


def read_weights(source: str | os.PathLike | bytes, message_name: str = "NetParameter") -> tuple[Message, list]:
    """The message in `source` (a path, or the bytes) without its numbers, and the list of arrays these are in.

    Each entry is a dict of 1-D arrays: "data", "diff" (float32), "double_data", "double_diff" (float64);
    `blobs.blob_array` finds a blob's. They are parts of the file, mapped into memory and not to be written to: copy
    what is computed with. Files may be larger than 2 GB. Raises DataError and ParseError.
    """
    arrays: list[dict[str, np.ndarray]] = []
    if isinstance(source, (bytes, bytearray, memoryview)):
        return _parse(memoryview(source), message_name, "bytes", arrays), arrays
    path = require_file(source)
    if path.stat().st_size == 0:
        raise ParseError(str(path), expected=f"a {message_name}", got="an empty file")
    with open(path, "rb") as file:
        content = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    return _parse(memoryview(content), message_name, str(path), arrays), arrays


def write_binary(path: str | os.PathLike, message: Message) -> None:
    """Write `message` to `path`, atomically."""
    write_weights(path, message, ())


def write_weights(path: str | os.PathLike, message: Message, arrays: Arrays) -> None:
    """Write `message`, with the numbers of its blobs from `arrays`, as Caffe 1.0 does: fields by number, packed arrays.

    Nothing is built whole in memory, and the file appears only when it is complete. Caffe reads at most 2 GB.
    """
    missing = message.FindInitializationErrors()
    if missing:
        raise ParseError(str(path), f"{missing[0]} needs a value")
    parts = _pieces(message, arrays, str(path))
    with atomic_write(path, sum(map(len, parts))) as file:
        for part in parts:
            file.write(part)


def _parse(view: memoryview, message_name: str, origin: str, arrays: list | None) -> Message:
    cls = messages.message_class(message_name)
    if view[:8] == SIGNATURE:
        raise ParseError(origin, expected=f"a binary {message_name}", got="an HDF5 file",
                         hint="HDF5 files hold weights, states and data, no net")
    image = next((name for start, name in IMAGES.items() if view[:len(start)] == start), None)
    if image:
        raise ParseError(origin, expected=f"a binary {message_name}", got=f"a {image} image")
    if message_name == "NetParameter" and STATE.match(view[:12]):
        raise ParseError(origin, expected="a net or weights", got="a solver's state", hint="give the .caffemodel")
    try:
        data = wire.scan(view, cls.DESCRIPTOR, arrays)
        message = cls.FromString(_renumber(data, origin) if message_name == "NetParameter" else data)
    except wire.Corrupt as error:
        begin = bytes(view[:40])
        hint = next((hint for pattern, hint in TEXTS if pattern.match(begin)), None)
        if hint:
            first = begin.strip().split(b"\n")[0].decode("utf-8", "replace")
            raise ParseError(origin, expected=f"a binary {message_name}", got=f"text beginning {first!r}",
                             hint=hint) from None
        raise ParseError(f"{origin}: byte {error.offset}", f"{'.'.join([message_name, *error.path])}: {error}",
                         hint="the file is damaged or incomplete, or no such message") from None
    except DecodeError as error:
        raise ParseError(origin, f"not a {message_name}: {error}") from None
    missing = message.FindInitializationErrors()
    if missing:
        raise ParseError(origin, f"{missing[0]} needs a value")
    return message


def _renumber(data: bytes, origin: str) -> bytes:
    """A NetParameter whose layers of forks have their parameters by our numbers: forks number them as upstream others.

    Done before the message is made, since what is read as another message loses what that has no place for.
    """
    net = messages.message_class("NetParameter").DESCRIPTOR.fields_by_name["layer"]
    view, position = memoryview(data), 0
    parts: list[bytes | memoryview] = []
    while position < len(view):
        start = position
        number, kind, begin, position = wire.read_field(view, start, len(view))
        is_layer = (number, kind) == (net.number, wire.BYTES)
        layer = _own_numbers(view[begin:position], net.message_type, origin) if is_layer else None
        parts += [view[start:position]] if layer is None else [wire.tag(number, kind), wire.varint(len(layer)), layer]
    return b"".join(parts)


def _own_numbers(layer: memoryview, schema: Descriptor, origin: str) -> bytes | None:
    """The bytes of a layer with our numbers; None if no fork numbers the parameters of its type."""
    fields, position = [], 0
    while position < len(layer):
        start = position
        fields.append((start, *wire.read_field(layer, start, len(layer))))
        position = fields[-1][-1]
    words = {number: str(layer[begin:end], "utf-8") for _, number, kind, begin, end in fields
             if number in (schema.fields_by_name["name"].number, schema.fields_by_name["type"].number)
             and kind == wire.BYTES}
    type_name = words.get(schema.fields_by_name["type"].number, "")
    field, numbers = FORKS.get(type_name, ("", ()))
    if not field:
        return None
    own, parts = schema.fields_by_name[field], []
    for start, number, kind, begin, end in fields:
        if number in numbers and kind == wire.BYTES:
            try:
                messages.message_class(own.message_type.name).FromString(bytes(layer[begin:end]))
            except DecodeError as error:
                name = words.get(schema.fields_by_name["name"].number, "")
                raise ParseError(origin, f"layer {name!r} ({type_name}): not a {field}: {error}") from None
            start, head = begin, wire.tag(own.number, wire.BYTES) + wire.varint(end - begin)
            parts.append(head)
        parts.append(bytes(layer[start:end]))
    return b"".join(parts)


def _pieces(message: Message, arrays: Arrays, origin: str) -> list:
    """The bytes of `message`, cut around the arrays, which are not copied."""
    large = {}  # field number: the pieces of every value
    rest = type(message)()
    rest.CopyFrom(message)
    for field, value in message.ListFields():
        if field.type == field.TYPE_MESSAGE and _holds_blobs(field.message_type):
            items = value if field.is_repeated else [value]
            large[field.number] = [_pieces(item, arrays, origin) for item in items]
            rest.ClearField(field.name)
        elif field.full_name.endswith("BlobProto.array"):
            if value >= len(arrays):
                raise ParseError(origin, f"a blob refers to array {value} of {len(arrays)}",
                                 hint="give the arrays it was read with")
            for name, values in arrays[value].items():
                number = message.DESCRIPTOR.fields_by_name[name].number
                large[number] = [[np.ascontiguousarray(values, wire.ITEM[name]).data.cast("B")]]
                rest.ClearField(name)
            rest.ClearField(field.name)
    data = rest.SerializePartialToString()
    if not large:
        return [data]
    parts: list[tuple[int, list]] = []
    view, position = memoryview(data), 0
    while position < len(data):
        start = position
        number, _, _, position = wire.read_field(view, start, len(data))
        parts.append((number, [view[start:position]]))
    for number, values in large.items():
        for value in values:
            size = sum(len(part) for part in value)
            parts.append((number, [wire.tag(number, wire.BYTES) + wire.varint(size), *value]))
    return [part for _, group in sorted(parts, key=lambda part: part[0]) for part in group]


@cache
def _holds_blobs(message) -> bool:
    return message.name == "BlobProto" or any(
        field.type == field.TYPE_MESSAGE and _holds_blobs(field.message_type) for field in message.fields)
