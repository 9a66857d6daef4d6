"""What the options of a layer say, in a few words, or field by field. The layer is not built."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from blobnet.core.registry import declarations
from blobnet.proto.notes import note
from blobnet.proto.text import dump


def facts(layer: Message) -> list[str]:
    """The key options of a LayerParameter, a line each; none for types without any.

    >>> from blobnet.proto.messages import new
    >>> facts(new("LayerParameter", type="Pooling", pooling_param={"kernel_h": 2, "kernel_w": 3, "stride": 2}))
    ['MAX', 'kernel 2x3, stride 2, pad 0']
    """
    return declarations(layer).facts(layer)


def rates(layer: Message) -> str:
    """The learning rate multipliers of weights and biases, "lr mult: 1.0, 2.0", as Caffe's draw_net shows them.

    "" for types that do not declare `shows_rates`, and where all are 0.
    """
    if not declarations(layer).shows_rates:
        return ""
    values = [spec.lr_mult for spec in layer.param]
    values += [1.0] * (2 - len(values))
    return "lr mult: " + ", ".join(f"{value:.1f}" for value in values) if any(values) else ""


def option_rows(options: Message) -> Iterator[tuple[tuple[str, str, str], bool]]:
    """(name, value, default) of every field that counts, and whether the net sets it."""
    for field in options.DESCRIPTOR.fields:
        value = getattr(options, field.name)
        is_set = bool(len(value)) if field.is_repeated else options.HasField(field.name)
        if (note(field, "ignored") or note(field, "refused")) and not is_set:
            continue
        default = value_text(field, field.default_value) if field.has_default_value else ""
        if field.is_repeated:
            here = ", ".join(value_text(field, item) for item in value)
        else:
            here = value_text(field, value) if is_set or field.has_default_value else ""
        if here:
            yield (field.name, here, default), is_set


def value_text(field: FieldDescriptor, value: Any) -> str:
    """A single value of a field as a prototxt would write it; a message on one line."""
    if field.enum_type is not None:
        return field.enum_type.values_by_number[value].name
    if field.message_type is not None:
        return " ".join(dump(value).split())
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)
