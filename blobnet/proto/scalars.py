"""Reading and writing one scalar value as its field's type says: the same rules for prototxt and for YAML.

Numbers are spelled as protobuf's tokenizer for C++ has them, which Caffe uses; Python's int() and float() read more.
"""

from __future__ import annotations

import math
import re

import numpy as np
from google.protobuf.descriptor import FieldDescriptor as Field

from blobnet.errors import close_matches

INTEGERS = {Field.TYPE_INT32: (True, False), Field.TYPE_SINT32: (True, False), Field.TYPE_SFIXED32: (True, False),
            Field.TYPE_INT64: (True, True), Field.TYPE_SINT64: (True, True), Field.TYPE_SFIXED64: (True, True),
            Field.TYPE_UINT32: (False, False), Field.TYPE_FIXED32: (False, False),
            Field.TYPE_UINT64: (False, True), Field.TYPE_FIXED64: (False, True)}  # (signed, 64 bits)
NAMES = {Field.TYPE_FLOAT: "a number", Field.TYPE_DOUBLE: "a number", Field.TYPE_BOOL: "true or false",
         Field.TYPE_STRING: "a string", Field.TYPE_BYTES: "a string", Field.TYPE_MESSAGE: "a message"}
INTEGER = re.compile(r"(?P<minus>-?)(?:0[xX](?P<hex>[0-9a-fA-F]+)|(?P<octal>0[0-7]*)|(?P<decimal>[1-9][0-9]*))")
FLOAT = re.compile(r"-?(?:(?:0|[1-9][0-9]*)(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?[fF]?")
NO_NUMBER = re.compile(r"-?(?:inf|infinity|nan)", re.IGNORECASE)
BOOLS = {"true": True, "True": True, "t": True, "false": False, "False": False, "f": False}
DIGITS = 20  # of the largest integer; Python takes its time over far longer ones, or refuses them


def expected(field: Field) -> str:
    """What a value of `field` must be, in words."""
    if field.type == Field.TYPE_ENUM:
        return f"a value of {field.enum_type.name}"
    if field.type in INTEGERS:
        signed, wide = INTEGERS[field.type]
        return f"{'an integer' if signed else 'an integer >= 0'} of {64 if wide else 32} bits"
    return NAMES[field.type]


def read(field: Field, text: str) -> int | float | bool:
    """The number, boolean or enum value (as its number) that `text` is; else ValueError with a hint as its text.

    Integers may be hexadecimal (0x1f) or, with a leading 0, octal; numbers with a fraction are decimal, and may end
    in f. A whole number of a field of these must fit into 64 bits; others too large for the field are infinite.
    """
    if field.type in INTEGERS:
        signed, wide = INTEGERS[field.type]
        bits = (64 if wide else 32) - signed
        return _integer(text, -2**bits if signed else None, 2**bits - 1)
    if field.type == Field.TYPE_BOOL:
        return BOOLS[text] if text in BOOLS else bool(_integer(text, None, 1))
    if field.type == Field.TYPE_ENUM:
        value = field.enum_type.values_by_name.get(text)
        if value is None and INTEGER.fullmatch(text):
            value = field.enum_type.values_by_number.get(_integer(text, -2**31, 2**31 - 1))
        if value is None:
            raise ValueError(close_matches(text, field.enum_type.values_by_name))
        return value.number
    if NO_NUMBER.fullmatch(text):
        return float(text)
    if not FLOAT.fullmatch(text):
        octal = re.match(r"-?0[0-9]", text)
        raise ValueError("a number with a leading 0 would be octal: leave it out" if octal else "")
    if text.removeprefix("-").isdecimal():
        _integer(text, 1 - 2**64, 2**64 - 1)
    return float(text.rstrip("fF"))


def _integer(text: str, least: int | None, most: int) -> int:
    """The integer that `text` is, which has no sign if `least` is None; else ValueError."""
    match = INTEGER.fullmatch(text)
    if not match or least is None and match["minus"]:
        raise ValueError("")
    base = 16 if match["hex"] else 8 if match["octal"] else 10
    digits = match["hex"] or match["octal"] or match["decimal"]
    if base == 10 and len(digits) > DIGITS:
        raise ValueError("")
    value = int(digits, base) * (-1 if match["minus"] else 1)
    if not (least or 0) <= value <= most:
        raise ValueError("")
    return value


def write_float(value: float, single: bool) -> str:
    """`value` as protobuf for C++ prints it: with 6 digits (15 unless `single`), or 9 (17) where these say less.

    >>> write_float(1.0, True), write_float(1e-5, True), write_float(2**24 + 2, True), write_float(1e15, False)
    ('1', '1e-05', '16777218', '1e+15')
    """
    if not math.isfinite(value):
        return "nan" if math.isnan(value) else f"{value:g}"
    short = f"{value:.{6 if single else 15}g}"
    same = np.float32(short) == np.float32(value) if single else float(short) == value
    return short if same else f"{value:.{9 if single else 17}g}"
