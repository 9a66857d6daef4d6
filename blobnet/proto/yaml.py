"""Messages as YAML: the same schema written as mappings, with lists for repeated fields and names for enum values.

A scalar is read as its field's type says, from the characters in the file, never by what YAML takes it for: `type: no`
is the string "no", `1e-3` is a number (PyYAML reads a string there). Source: https://yaml.org/spec/1.1/.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np
import yaml
from google.protobuf.descriptor import Descriptor
from google.protobuf.descriptor import FieldDescriptor as Field
from google.protobuf.message import Message

from blobnet.errors import ParseError
from blobnet.proto import messages, scalars
from blobnet.proto.source import error_at, place
from blobnet.proto.unknown import unknown_field

Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
Dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
NETS = ("net_param", "train_net_param", "test_net_param")  # fields of a solver file that hold a net
DEPTH = 50  # no message of the schema nests deeper; far deeper ones overflow the stack of the YAML library
ALIASED = 1_000_000  # characters and nodes that all aliases of a file may stand for; nets with aliases have thousands
BINARY = "tag:yaml.org,2002:binary"
WORDS = {"yes": "true", "on": "true", "true": "true", "no": "false", "off": "false", "false": "false",
         ".inf": "inf", "+.inf": "inf", "-.inf": "-inf", ".nan": "nan"}  # YAML's own, in small letters
NODES = {yaml.MappingNode: "a mapping", yaml.SequenceNode: "a list", yaml.ScalarNode: "a single value"}
BRACKET = re.compile(r"""(?:^|(?<=[ \t]))\#[^\n]*|"(?:[^"\\]|\\.)*"|'[^']*'|[\[\]{}]""", re.MULTILINE | re.DOTALL)
Fail = Callable[..., ParseError]


def parse_yaml(text: str, message_name: str, origin: str = "text") -> Message:
    """The message `message_name` written as YAML in `text`; ParseError with "origin:line:column" if it is not one.

    >>> parse_yaml("layer: [{name: a, relu_param: {negative_slope: 1e-3}}]", "NetParameter").layer[0].name
    'a'
    """
    text = text.removeprefix("\ufeff")
    message, root = messages.new(message_name), _compose(text, origin)
    if root is not None:
        _fill(message, root, partial(error_at, text, origin))
    return message


def dump_yaml(message: Message) -> str:
    """`message` as YAML that `parse_yaml` reads back to an equal one. Fields unknown to the schema raise ParseError.

    >>> print(dump_yaml(messages.new("LayerParameter", name="a", loss_weight=[0.1], phase=1)), end="")
    name: a
    loss_weight: [0.1]
    phase: TEST
    """
    messages.refuse_unknown(message)
    return yaml.dump(_plain(message), Dumper=Dumper, sort_keys=False, allow_unicode=True, default_flow_style=None,
                     width=120)


def is_mapping(text: str) -> bool:
    """Whether `text` is YAML with fields in it."""
    try:
        return isinstance(_compose(text, ""), yaml.MappingNode)
    except ParseError:
        return False


def locate_layer(text: str, origin: str, layer: str | int, field: str = "type", value: str | None = None) -> str:
    """Where the `field` of a layer stands in a net written as YAML; as the function of this name in text.py."""
    text = text.removeprefix("\ufeff")
    for position, node in enumerate(_layers(_compose(text, origin))):
        found = {key.value: item for key, item in node.value}
        if layer == position or "name" in found and layer == found["name"].value:
            if value is None or field in found and found[field].value == value:
                return place(text, origin, found.get(field, node).start_mark.index)
    return origin


def _layers(net: yaml.Node | None) -> Iterator[yaml.Node]:
    """The layers of a net, or of the nets inside a solver file."""
    for key, node in net.value if isinstance(net, yaml.MappingNode) else ():
        items = node.value if isinstance(node, yaml.SequenceNode) else [node]
        if key.value in ("layer", "layers"):
            yield from items
        elif key.value in NETS:
            for item in items:
                yield from _layers(item)


def _compose(text: str, origin: str) -> yaml.Node | None:
    fail = partial(error_at, text, origin)
    try:
        _check_size(text, fail)
        return yaml.compose(text, Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise fail(mark.index if mark else 0, error.problem or "not YAML") from None
    except yaml.reader.ReaderError as error:
        found = repr(chr(error.character))
        raise fail(error.position, f"YAML does not allow the character {found}") from None
    except UnicodeEncodeError as error:
        raise fail(error.start, "not UTF-8") from None


def _check_size(text: str, fail: Fail) -> None:
    """Refuse what would take too much memory or stack, before anything is built: deep nesting, aliases of aliases."""
    total = aliased = 0  # characters and nodes so far, those behind aliases included
    starts: list[tuple[str | None, int]] = []  # of the open lists and mappings: their anchors, and `total` before them
    sizes: dict[str, int] = {}
    events, event = yaml.parse(text, Loader), None
    while True:
        try:
            event = next(events, None)
        except yaml.MarkedYAMLError as error:  # of the library's own limit, while it looks ahead
            end = error.problem_mark.index if error.problem_mark else 0
            here = _too_deep(text, event.end_mark.index if event else 0, end, len(starts))
            if here is None:
                raise
            raise _deep(fail, here) from None
        if event is None:
            return
        here = event.start_mark.index
        if isinstance(event, yaml.AliasEvent):
            if any(anchor == event.anchor for anchor, _ in starts):
                raise fail(here, f"the alias *{event.anchor} stands in what it stands for")
            size = sizes.get(event.anchor, 0)
            total, aliased = total + size, aliased + size
            if aliased > ALIASED:
                raise fail(here, f"the aliases up to here stand for more than {ALIASED} characters and values",
                           hint="write a net of this size as prototxt")
        elif isinstance(event, yaml.CollectionStartEvent):
            starts.append((event.anchor, total))
            total += 1
            if len(starts) > DEPTH:
                raise _deep(fail, here)
        elif isinstance(event, yaml.CollectionEndEvent):
            anchor, start = starts.pop()
            sizes[anchor] = total - start
        elif isinstance(event, yaml.ScalarEvent):
            sizes[event.anchor] = 1 + len(event.value)
            total += 1 + len(event.value)


def _too_deep(text: str, start: int, end: int, depth: int) -> int | None:
    """Where between `start`, at which `depth` brackets are open, and `end` one too many is opened; None if none is."""
    for match in BRACKET.finditer(text, start, end):
        depth += (match.group() in "[{") - (match.group() in "]}")
        if depth > DEPTH:
            return match.start()
    return None


def _deep(fail: Fail, here: int) -> ParseError:
    return fail(here, f"more than {DEPTH} levels of lists and mappings")


def _fill(message: Message, node: yaml.Node, fail: Fail, outer: Sequence[Descriptor] = ()) -> None:
    """Set the fields of `message`, which stands in `outer`, from a mapping; no value at all leaves it empty."""
    if not isinstance(node, yaml.MappingNode) and not _is_empty(node):
        expected = f"a mapping of the fields of {message.DESCRIPTOR.name}"
        raise fail(node.start_mark.index, expected=expected, got=NODES[type(node)])
    known, seen = message.DESCRIPTOR.fields_by_name, set()
    for key, value in node.value or ():
        name, here = key.value, key.start_mark.index
        if not isinstance(key, yaml.ScalarNode) or name not in known:
            name = name if isinstance(key, yaml.ScalarNode) else NODES[type(key)]
            layer_type = next((item.value for other, item in node.value if other.value == "type"), "")
            raise fail(here, f"{message.DESCRIPTOR.name} has no field {name!r}",
                       hint=unknown_field(name, (*outer, message.DESCRIPTOR), layer_type))
        if name in seen:
            raise fail(here, f"field {name!r} is given a second time", hint="give several values as a list")
        seen.add(name)
        field = known[name]
        if isinstance(value, yaml.SequenceNode) and not field.is_repeated:
            raise fail(value.start_mark.index, f"field {name!r} takes one value, not a list")
        for item in value.value if isinstance(value, yaml.SequenceNode) else [value]:
            if field.type == Field.TYPE_MESSAGE:
                target = getattr(message, name).add() if field.is_repeated else getattr(message, name)
                target.SetInParent()
                _fill(target, item, fail, [*outer, message.DESCRIPTOR])
            elif field.is_repeated:
                getattr(message, name).append(_scalar(field, item, fail))
            else:
                setattr(message, name, _scalar(field, item, fail))
    for field in message.DESCRIPTOR.fields:
        if field.is_required and field.name not in seen:
            raise fail(node.start_mark.index, f"{message.DESCRIPTOR.name} needs a value for {field.name!r}")


def _is_empty(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and node.value == "" and not node.style


def _scalar(field: Field, node: yaml.Node, fail: Fail) -> str | bytes | int | float | bool:
    here, what = node.start_mark.index, dict(message=f"field {field.name!r}", expected=scalars.expected(field))
    if not isinstance(node, yaml.ScalarNode):
        raise fail(here, got=NODES[type(node)], **what)
    if _is_empty(node):
        raise fail(here, got="no value", **what)
    text = node.value
    if field.type == Field.TYPE_BYTES:
        try:
            return base64.b64decode("".join(text.split()), validate=True) if node.tag == BINARY else text.encode()
        except (binascii.Error, ValueError) as error:
            raise fail(here, got=f"bytes that are not base64 ({error})", **what) from None
    if field.type == Field.TYPE_STRING:
        return text
    if field.type not in scalars.INTEGERS and field.type != Field.TYPE_ENUM:
        text = WORDS.get(text.lower(), text)
    elif re.fullmatch(r"-?0\d+", text):
        raise fail(here, got=text, hint="a leading zero could mean an octal number: leave it out", **what)
    try:
        return scalars.read(field, re.sub(r"^\+(?=[\d.])", "", text))
    except ValueError as error:
        raise fail(here, got=repr(node.value), hint=str(error), **what) from None


def _plain(message: Message) -> dict:
    """`message` as dicts, lists and Python values, in the order of its field numbers."""
    return {field.name: [_plain_value(field, one) for one in value] if field.is_repeated else _plain_value(field, value)
            for field, value in message.ListFields()}


def _plain_value(field: Field, value):
    if field.type == Field.TYPE_MESSAGE:
        return _plain(value)
    if field.type == Field.TYPE_ENUM:
        return field.enum_type.values_by_number[value].name
    return float(str(np.float32(value))) if field.type == Field.TYPE_FLOAT else value  # the shortest digits that say it
