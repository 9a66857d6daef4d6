"""BlobProto and arrays: the numbers and the shape of a blob in a message, and files of a single blob (image means)."""

from __future__ import annotations

import math
import os

import numpy as np
from google.protobuf.message import Message

from blobnet.errors import ParseError, ShapeError
from blobnet.proto import binary, messages, wire

MOST_AXES = 32
LEGACY = ("num", "channels", "height", "width")


def is_legacy(blob: Message) -> bool:
    """Whether `blob` has its shape as num, channels, height, width, as all blobs once had."""
    return any(blob.HasField(name) for name in LEGACY)


def blob_shape(blob: Message) -> tuple[int, ...]:
    """The shape: num, channels, height, width if any of them is given (0 for the others), else `shape`."""
    if is_legacy(blob):
        return tuple(getattr(blob, name) for name in LEGACY)
    return tuple(blob.shape.dim)


def blob_array(blob: Message, arrays: binary.Arrays = (), which: str = "data") -> np.ndarray:
    """The numbers of `blob` as a 1-D array, "data" or "diff": float64 if the blob has them as double, else float32.

    They are the blob's entry of `arrays` (see `binary.read_weights`), not copied, or stand in the message itself, as in
    a prototxt. A blob without them gives an empty array. Raises ParseError if the blob's entry is not in `arrays`.
    """
    if blob.HasField("array"):
        if blob.array >= len(arrays):
            raise ParseError("BlobProto", f"refers to array {blob.array} of {len(arrays)}",
                             hint="give the arrays it was read with")
        found = arrays[blob.array]
    else:
        inline: list[dict[str, np.ndarray]] = [{}]
        wire.scan(memoryview(blob.SerializeToString()), blob.DESCRIPTOR, inline)
        found = {name: values.copy() for name, values in inline[-1].items()}
    wide = found.get(f"double_{which}", ())
    return wide if len(wide) else found.get(which, np.empty(0, np.float32))


def shaped_array(blob: Message, arrays: binary.Arrays, where: str) -> np.ndarray:
    """A copy of the numbers of `blob`, in its shape; ShapeError if these do not fit each other, or no array."""
    values, shape = blob_array(blob, arrays), blob_shape(blob)
    if any(not 0 <= dim < 1 << 31 for dim in shape) or len(shape) > MOST_AXES:  # Caffe's own limits
        raise ShapeError(where, expected=f"at most {MOST_AXES} axes from 0 to 2^31 - 1", got=f"shape {shape[:40]}")
    if values.size != math.prod(shape):
        raise ShapeError(where, expected=f"{math.prod(shape)} numbers for the shape {shape}", got=values.size)
    try:
        return values.reshape(shape).copy()
    except ValueError as error:  # of an axis of 0 beside axes that are too long
        raise ShapeError(where, expected="the shape of an array", got=f"shape {shape}") from error


def set_blob(blob: Message, values: np.ndarray, arrays: list | None = None, which: str = "data") -> None:
    """Give `blob` the shape and the numbers of `values`: as double if they are float64, else as float.

    With `arrays`, a list as `binary.write_weights` takes it, the numbers go there and their index into the message.
    """
    values = np.asarray(values)
    name = f"double_{which}" if values.dtype == np.float64 else which
    values = np.asarray(values, wire.ITEM[name], order="C")
    for old in (*LEGACY, "shape", which, f"double_{which}"):
        blob.ClearField(old)
    blob.shape.dim.extend(values.shape)
    if arrays is None:
        number = blob.DESCRIPTOR.fields_by_name[name].number
        blob.MergeFromString(wire.tag(number, wire.BYTES) + wire.varint(values.nbytes) + values.tobytes())
        return
    if not blob.HasField("array"):
        blob.array = len(arrays)
        arrays.append({})
    arrays[blob.array].pop(which, None)
    arrays[blob.array].pop(f"double_{which}", None)
    arrays[blob.array][name] = values.reshape(-1)


def read_blob(path: str | os.PathLike) -> np.ndarray:
    """The array in a file of one BlobProto, such as mean.binaryproto, (1, C, H, W) there."""
    return shaped_array(*binary.read_weights(path, "BlobProto"), str(path))


def write_blob(path: str | os.PathLike, values: np.ndarray) -> None:
    """Write `values` as a file of one BlobProto: (C, H, W), (N, C, H, W) with the legacy numbers, as Caffe's means."""
    values = np.asarray(values)
    blob = messages.new("BlobProto")
    arrays: list = []
    set_blob(blob, values, arrays)
    if values.ndim in (3, 4):
        blob.ClearField("shape")
        for name, size in zip(LEGACY, (1, *values.shape)[-4:]):
            setattr(blob, name, size)
    binary.write_weights(path, blob, arrays)
