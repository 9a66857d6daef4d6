"""Variants of the options, one of them changed at a time; and what options there are."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from blobnet.check.grading.passes import Pass
from blobnet.check.grading.recipe import Recipe
from blobnet.check.grading.scene import Scene
from blobnet.check.grading.slips import Slip
from blobnet.check.standalone import read_layer
from blobnet.core.registry import class_of

SLIPS = {"axis": Slip.AXIS, "pad": Slip.PADDING, "pad_h": Slip.PADDING, "pad_w": Slip.PADDING, "eps": Slip.EPS,
         "kernel_size": Slip.WINDOW, "stride": Slip.WINDOW, "dilation": Slip.WINDOW}
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


def of_options(scene: Scene) -> Iterator[Recipe]:
    """Each option with another value, and the other phase.

    An option that is not given, and does nothing by itself, is not what a student thinks of.
    """
    param, other = scene.param, 1 - scene.phase
    for name, field in fields_of(param):
        before = value_of(param, name, field)
        likely = field.name in SLIPS or _is_given(getattr(param, name), field) or bool(before) and before is not True
        for after in _others(field, before):
            yield Recipe(SLIPS.get(field.name, Slip.OPTION),
                         f"the option {field.name} were {_show(field, after)} and not {_show(field, before)}",
                         "Where does your code use it?", partial(_with_option, scene, name, field, after), likely)
    yield Recipe(Slip.PHASE, f"the phase were {('TRAIN', 'TEST')[other]}", "What does the layer do in which phase?",
                 partial(scene.play, phase=other))


def _with_option(scene: Scene, name: str, field: FieldDescriptor, value: Any) -> Pass:
    param = read_layer(scene.param)
    options = getattr(param, name)
    if isinstance(getattr(options, field.name), int | float):
        setattr(options, field.name, value)
    else:
        getattr(options, field.name)[:] = [value]
    return scene.play(param=param)


def _is_given(options: Message, field: FieldDescriptor) -> bool:
    return any(given.name == field.name for given, _ in options.ListFields())


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
