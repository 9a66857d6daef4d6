"""What the schema says of fields that are read but not computed with; see `schema`."""

from __future__ import annotations

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.unknown_fields import UnknownFieldSet

NOTES = {"ignored": 50001, "refused": 50002}  # options of a field beyond protobuf's own: their numbers there


def note(field: FieldDescriptor, option: str) -> str:
    """What the schema says of a field under `option`, "ignored" or "refused"; "" if it says nothing."""
    return next((str(item.data, "utf-8") for item in UnknownFieldSet(field.GetOptions())
                 if item.field_number == NOTES[option]), "")
