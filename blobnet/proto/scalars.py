"""Reading one scalar value as its field's type says: the same rules for prototxt and for YAML."""

from __future__ import annotations

from google.protobuf import text_format
from google.protobuf.descriptor import FieldDescriptor as Field

from blobnet.errors import close_matches

INTEGERS = {Field.TYPE_INT32: (True, False), Field.TYPE_SINT32: (True, False), Field.TYPE_SFIXED32: (True, False),
            Field.TYPE_INT64: (True, True), Field.TYPE_SINT64: (True, True), Field.TYPE_SFIXED64: (True, True),
            Field.TYPE_UINT32: (False, False), Field.TYPE_FIXED32: (False, False),
            Field.TYPE_UINT64: (False, True), Field.TYPE_FIXED64: (False, True)}  # (signed, 64 bits)
NAMES = {Field.TYPE_FLOAT: "a number", Field.TYPE_DOUBLE: "a number", Field.TYPE_BOOL: "true or false",
         Field.TYPE_STRING: "a string", Field.TYPE_BYTES: "a string", Field.TYPE_MESSAGE: "a message"}


def expected(field: Field) -> str:
    """What a value of `field` must be, in words."""
    if field.type == Field.TYPE_ENUM:
        return f"a value of {field.enum_type.name}"
    if field.type in INTEGERS:
        signed, wide = INTEGERS[field.type]
        return f"{'an integer' if signed else 'an integer >= 0'} of {64 if wide else 32} bits"
    return NAMES[field.type]


def read(field: Field, text: str) -> int | float | bool:
    """The number, boolean or enum value (as its number) that `text` is; else ValueError with a hint as its text."""
    try:
        if field.type in INTEGERS:
            return text_format.ParseInteger(text, *INTEGERS[field.type])
        if field.type == Field.TYPE_ENUM:
            return text_format.ParseEnum(field, text)
        if field.type == Field.TYPE_BOOL:
            return text_format.ParseBool(text)
        return text_format.ParseFloat(text)
    except ValueError as error:
        names = field.enum_type.values_by_name if field.type == Field.TYPE_ENUM else ()
        raise ValueError(close_matches(text, names) if names else "") from error
