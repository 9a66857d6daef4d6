"""Datum: one image and its label as Caffe's databases store them."""

from __future__ import annotations

import struct

import numpy as np
from google.protobuf.message import DecodeError, Message

from blobnet.data.images.decode import decode_image
from blobnet.data.images.encode import encode_image, extension
from blobnet.data.images.files import read_image
from blobnet.errors import DataError, ShapeError
from blobnet.proto import wire
from blobnet.proto.messages import message_class, new


def parse_datum(data: bytes | memoryview, where: str = "datum") -> Message:
    """The Datum that the bytes of a record hold; DataError if they hold none."""
    return parse_record(data, "Datum", where)


def parse_record(data: bytes | memoryview, kind: str, where: str) -> Message:
    """The message of the class `kind` that the bytes of a record hold; DataError if they hold none."""
    cls = message_class(kind)
    try:
        return cls.FromString(data)
    except DecodeError as error:
        raise DataError(where, expected=f"a {kind} message",
                        got=f"{len(data)} other bytes ({_fault(data, cls) or error})") from error


def datum_labels(data: bytes | memoryview, count: int, where: str = "datum") -> list[float]:
    """The `count` labels in the bytes of a Datum: those in `label`, which forks repeat; or, beside the bytes of an
    image, those in float_data. DataError if neither are so many.
    """
    datum = parse_datum(data, where)
    try:
        labels = _every_label(memoryview(data))
    except wire.Corrupt as error:
        raise DataError(where, f"byte {error.offset}: {error}") from None
    if len(labels) == count:
        return labels
    if datum.data and len(datum.float_data) == count:
        return list(datum.float_data)
    raise DataError(where, expected=f"{count} labels (label_num)", got=f"{len(labels)} in label, "
                    f"{len(datum.float_data) if datum.data else 0} in float_data")


def _every_label(view: memoryview) -> list[float]:
    """All values of the field `label`, integers or floats, which a Datum of this schema has but once."""
    number, position, labels = message_class("Datum").DESCRIPTOR.fields_by_name["label"].number, 0, []
    while position < len(view):
        found, kind, begin, position = wire.read_field(view, position, len(view))
        if (found, kind) == (number, wire.VARINT):
            value, _ = wire.read_varint(view, begin, position)
            labels.append(float(value - (1 << 64) if value >> 63 else value))
        elif (found, kind) == (number, wire.FIXED32):
            labels.append(struct.unpack_from("<f", view, begin)[0])
    return labels


def _fault(data: bytes | memoryview, cls: type[Message]) -> str:
    """Where the bytes stop being a message of `cls`, in words."""
    try:
        wire.scan(memoryview(data), cls.DESCRIPTOR)
    except wire.Corrupt as error:
        return f"byte {error.offset}: {error}"
    return ""


def array_to_datum(array: np.ndarray, label: int | None = None) -> Message:
    """A Datum holding `array` (C, H, W): uint8 as raw bytes, anything else as floats.

    >>> datum_to_array(array_to_datum(np.full((1, 1, 2), 7, np.uint8), label=3))
    array([[[7, 7]]], dtype=uint8)
    """
    array = np.asarray(array)
    if array.ndim != 3:
        raise ShapeError("datum", expected="an array of three axes (C, H, W)", got=array.shape)
    channels, height, width = array.shape
    datum = new("Datum", channels=channels, height=height, width=width)
    if array.dtype == np.uint8:
        datum.data = array.tobytes()
    else:
        datum.float_data.extend(array.ravel().tolist())
    if label is not None:
        datum.label = label
    return datum


def datum_to_array(datum: Message, color: bool | None = None, where: str = "datum") -> np.ndarray:
    """The image in `datum` (C, H, W): uint8 from raw bytes (read-only) or a compressed image, else float32.

    `color` says how a compressed image is decoded, see `decode_image`; it has no effect on others.
    Raises DataError if there are more or fewer values than the shape asks for.
    """
    data = datum.data
    if datum.encoded:
        return decode_image(data, color, where)
    shape = datum.channels, datum.height, datum.width
    values = np.frombuffer(data, np.uint8) if data else np.array(datum.float_data, np.float32)
    if min(shape) <= 0 or values.size != shape[0] * shape[1] * shape[2]:
        raise DataError(where, expected=" x ".join(map(str, shape)) + " values", got=values.size)
    return values.reshape(shape)


def image_record(path: str, label: int, color: bool, size: tuple[int, int] | None, encoding: str = "") -> tuple[
        Message, int]:
    """The Datum of the image at `path`, read in `color` or gray and resized to `size` (H, W), and its number of values.

    Without `encoding` it holds the values; with one ("png", "jpg" …) a compressed image. Raises DataError.
    Quirks, which are those of Caffe's convert_imageset: a file that already has the extension of `encoding` is kept as
    it is unless the image is resized, and then stays in colour even if gray was asked for. If a "jpg" is asked for, a
    .jpeg file counts as one; if a "jpeg" is asked for, a .jpg file does not. A compressed Datum does not say its shape.
    """
    image = read_image(path, color, size)
    if not encoding:
        datum = array_to_datum(image, label)
        datum.encoded = False
        return datum, image.size
    suffix = extension(path)
    if size is None and (suffix == encoding or (encoding, suffix) == ("jpg", "jpeg")):
        with open(path, "rb") as file:
            data = file.read()
    else:
        data = encode_image(image, encoding, f"image {path!r}")
    return new("Datum", data=data, label=label, encoded=True), image.size
