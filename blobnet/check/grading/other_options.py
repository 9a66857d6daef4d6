"""The options of a layer, one of them changed at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from blobnet.check.grading.slips import Slip
from blobnet.core.registry import class_of

SLIPS = {"axis": Slip.AXIS, "pad": Slip.PADDING, "pad_h": Slip.PADDING, "pad_w": Slip.PADDING, "eps": Slip.EPS}
WHOLE = {FieldDescriptor.CPPTYPE_INT32, FieldDescriptor.CPPTYPE_UINT32, FieldDescriptor.CPPTYPE_INT64,
         FieldDescriptor.CPPTYPE_UINT64}
AXES = (0, 1, 2, 3)


def fields_of(param: Message) -> list[tuple[str, FieldDescriptor]]:
    """The numbers, truths and choices among the options of a layer: (field of LayerParameter, option)."""
    cls = class_of(param)
    return [(name, field) for name in filter(None, [cls.options_field, *cls.more_options])
            for field in type(getattr(param, name)).DESCRIPTOR.fields
            if field.cpp_type not in (FieldDescriptor.CPPTYPE_STRING, FieldDescriptor.CPPTYPE_MESSAGE)]


def value_of(param: Message, name: str, field: FieldDescriptor) -> Any:
    """What an option says; of one that may be repeated the first, None if there is none."""
    value = getattr(getattr(param, name), field.name)
    if isinstance(value, int | float):
        return value
    return value[0] if len(value) else None


def other_options(param: Message) -> Iterator[tuple[Slip, str, object, object, Message]]:
    """(slip, option, what it is, what it is changed to, a LayerParameter with that)."""
    for name, field in fields_of(param):
        before = value_of(param, name, field)
        for after in _others(field, before):
            changed = type(param).FromString(param.SerializePartialToString())
            options = getattr(changed, name)
            if before is not None and not isinstance(getattr(options, field.name), int | float):
                getattr(options, field.name)[:] = [after]
            elif before is not None:
                setattr(options, field.name, after)
            yield SLIPS.get(field.name, Slip.OPTION), field.name, _show(field, before), _show(field, after), changed


def _others(field: FieldDescriptor, before: Any) -> list:
    if before is None:
        return []
    if field.cpp_type == FieldDescriptor.CPPTYPE_BOOL:
        others: list = [not before]
    elif field.cpp_type == FieldDescriptor.CPPTYPE_ENUM:
        others = [value.number for value in field.enum_type.values]
    elif field.name == "axis":
        others = list(AXES)
    elif field.cpp_type in WHOLE:
        others = [0, 1, *([before - 1] if before > 1 else []), before + 1]
    else:
        others = [0.0, 1.0]
    return [other for other in others if other != before]


def _show(field: FieldDescriptor, value: Any) -> str:
    if field.cpp_type == FieldDescriptor.CPPTYPE_ENUM:
        return field.enum_type.values_by_number[value].name
    return str(value).lower() if isinstance(value, bool) else f"{value:g}"
