"""Prototxt for people: what fits into a line stands in one line."""

from __future__ import annotations

from google.protobuf.descriptor import FieldDescriptor as Field
from google.protobuf.message import Message

from blobnet.proto.text import show_value

WIDTH = 120
GAP = "  "  # between the fields of a line


def compact(message: Message) -> str:
    """`message` as prototxt: a field a line, but messages in it in one line where they fit.

    Of a message that does not fit, the plain fields share lines, and each message in it has lines of its own.

    >>> from blobnet.proto.messages import new
    >>> print(compact(new("NetParameter", name="n", layer=[{"name": "r", "type": "ReLU"}])), end="")
    name: "n"
    layer { name: "r"  type: "ReLU" }
    """
    return "".join(f"{line}\n" for field, value in _items(message) for line in _lines(field, value))


def _items(message: Message) -> list[tuple[Field, object]]:
    return [(field, item) for field, value in message.ListFields()
            for item in (value if field.is_repeated else [value])]


def _in_line(field: Field, value: object) -> str:
    if not isinstance(value, Message):
        return f"{field.name}: {show_value(field, value)}"
    inner = GAP.join(_in_line(*item) for item in _items(value))
    return f"{field.name} {{ {inner} }}" if inner else f"{field.name} {{ }}"


def _lines(field: Field, value: object, indent: int = 0) -> list[str]:
    """The lines of a field that begins `indent` characters from the left."""
    line = _in_line(field, value)
    if not isinstance(value, Message) or indent + len(line) <= WIDTH:
        return [line]
    lines: list[str] = []
    plain: list[str] = []  # fields of the line that is being filled

    def close() -> None:
        if plain:
            lines.append(GAP.join(plain))
            plain.clear()

    for inner, item in _items(value):
        if isinstance(item, Message):
            close()
            lines += _lines(inner, item, indent + 2)
            continue
        words = _in_line(inner, item)
        if indent + 2 + len(GAP.join([*plain, words])) > WIDTH:
            close()
        plain.append(words)
    close()
    return [f"{field.name} {{", *(f"  {line}" for line in lines), "}"]
