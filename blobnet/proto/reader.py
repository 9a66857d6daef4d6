"""Reading prototxt into a message, token by token; what the schema or the syntax forbids is explained.

The rules are those of protobuf's parser for C++, which Caffe uses, and of a few more things that files have: empty
lists, and whatever stands in comments. Protobuf's parser for Python reads other numbers, nests as deep as Python may
call, and tells fewer places.
"""

from __future__ import annotations

import logging
import re
from typing import NamedTuple

from google.protobuf.descriptor import Descriptor
from google.protobuf.descriptor import FieldDescriptor as Field
from google.protobuf.message import Message

from blobnet.errors import ParseError
from blobnet.proto import scalars
from blobnet.proto.source import CLOSING, OPENING, Token, error_at, place, walk
from blobnet.proto.unknown import unknown_field
from blobnet.proto.wire import DEPTH

log = logging.getLogger(__name__)
COMMENTS = "comments start with #"
TEXTS = (Field.TYPE_STRING, Field.TYPE_BYTES)
ESCAPE = re.compile(rb"""\\(?:(?P<letter>[abfnrtv\\?'"]) | (?P<octal>[0-3][0-7]{0,2}|[4-7][0-7]?(?![0-7]))
                        | x(?P<hex>[0-9a-fA-F]{1,2})
                        | u(?P<pair>[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})
                        | u(?P<short>[0-9a-fA-F]{4}) | U(?P<long>00(?:0[0-9a-fA-F]|10)[0-9a-fA-F]{4})
                        | (?P<bad>.[\x80-\xbf]*))""", re.VERBOSE | re.DOTALL)
LETTERS = dict(zip(b"abfnrtv", b"\a\b\f\n\r\t\v"))
TYPE = re.compile(r"""type\s*:\s*["']?(\w+)""")
NET = re.compile(r"""^\s*(?:train_)?net\s*:\s*["']([^"'\n]+)""", re.MULTILINE)
FIRST_COUNTS = {  # fields that a fork made lists
    "caffe.SolverParameter.device_id",              # for several GPUs
    "caffe.TransformationParameter.resize_param"}   # to draw one for each batch
START, END, SEPARATED, NAME, COLON, OPEN_LIST, COMMA, ITEM = range(8)  # what came last in an open message
IN_LIST = (OPEN_LIST, COMMA, ITEM)


class Fault(NamedTuple):
    """A field or a value that the schema does not know, or a missing one, and the token where it stands."""

    error: ParseError
    token: Token


class _Open:
    """A message being read: what came last in it, its last field, and where its fields stand first."""

    def __init__(self, message: Message, closing: str = "", in_list: bool = False):
        self.message, self.closing, self.in_list = message, closing, in_list
        self.last, self.field = START, ""
        self.seen: dict[str, int] = {}
        self.told: set[str] = set()  # fields of which it was said that the first counts

    @property
    def descriptor(self) -> Descriptor:
        return self.message.DESCRIPTOR


def read_into(message: Message, text: str, origin: str, faults: list[Fault] | None = None) -> None:
    """Fill the empty `message` with what `text` holds; ParseError at the first token that is wrong.

    Where a list of `faults` is given, fields and values that the schema does not know go there, and the reading goes on
    behind them; a ParseError is then one of the syntax. Required fields may stay missing.
    """
    if "\0" in text:
        raise error_at(text, origin, text.index("\0"), "a NUL character",
                       hint="a text has none: is this a binary file, or UTF-16?")
    levels, token = [_Open(message)], None
    pieces: list = []  # of a string: its first token, and the bytes of all
    skipping = False  # the value of a field that is a fault
    for token in walk(text):
        here = levels[-1]
        if skipping and len(token.path) >= len(levels) - 1 and not (
                token.kind == "name" and len(token.path) == len(levels) - 1):
            continue
        skipping = False
        if pieces and token.kind != "string":
            _end_string(here, pieces, text, origin)
        problem = _problem(token, levels, text)
        if problem:
            error = error_at(text, origin, token.offset, **problem)
            if faults is None or not _can_be_skipped(token, here):
                raise error
            faults.append(Fault(error, token))
            here.last = END
            skipping = True
        elif token.kind == "string":
            pieces += [unquote(token.text)] if pieces else [token, unquote(token.text)]
        elif token.kind == "name":
            here.seen.setdefault(token.text, token.offset)
            here.last, here.field = NAME, token.text
        elif token.kind == "value":
            field = here.descriptor.fields_by_name[token.field]
            here.last = ITEM if here.last in IN_LIST else END
            try:
                _set(here.message, field, scalars.read(field, plain(token.text)))
            except ValueError as error:
                wrong = error_at(text, origin, token.offset, **_wrong(token, field, str(error)))
                if faults is None:
                    raise wrong from None
                faults.append(Fault(wrong, token))
        elif token.text in OPENING:
            value = _opened(here, token.field, origin)
            value.SetInParent()
            levels.append(_Open(value, CLOSING[OPENING.index(token.text)], here.last in IN_LIST))
        elif token.text in CLOSING:
            in_list = levels.pop().in_list
            levels[-1].last = ITEM if in_list else END
        else:
            here.last = {":": COLON, "[": OPEN_LIST, "]": END}.get(
                token.text, COMMA if here.last in IN_LIST else SEPARATED)
    here = levels[-1]
    if pieces:
        _end_string(here, pieces, text, origin)
    if len(levels) > 1:
        frame = token.path[-1]
        raise error_at(text, origin, frame.offset, f"this {text[frame.offset]!r} of {frame.field!r} is never closed",
                       hint="add the missing '}'")
    if here.last in (NAME, COLON):
        raise error_at(text, origin, token.offset, f"field {token.field!r} has no value", got="end of text")
    if here.last in IN_LIST:
        raise error_at(text, origin, token.offset, f"the list of {token.field!r} is never closed", hint="add a ']'")


def _can_be_skipped(token: Token, here: _Open) -> bool:
    """Whether a fault is of a field or of its value, behind which the next field begins."""
    if token.kind == "name":
        return here.last in (START, END, SEPARATED)
    return token.kind in ("value", "string") and here.last in (COLON, OPEN_LIST, COMMA) \
        or token.kind == "sign" and token.text in OPENING and here.last in (NAME, COLON)


def plain(value: str) -> str:
    """A value without the blanks and comments that may stand after its minus sign."""
    return value if value[0] != "-" else "-" + re.split(r"[\s\n]", value[1:])[-1]


def unquote(quoted: str) -> bytes:
    """The bytes that a well-formed string means, escapes resolved; UnicodeEncodeError for half a character."""
    inner = quoted[1:-1].encode("utf-8", "surrogateescape")
    return ESCAPE.sub(_unescape, inner) if b"\\" in inner else inner


def _unescape(match: re.Match[bytes]) -> bytes:
    kind, value = match.lastgroup, match[match.lastgroup]
    if kind == "letter":
        return bytes([LETTERS.get(value[0], value[0])])
    if kind == "pair":
        return bytes.fromhex(value.replace(b"\\u", b"").decode()).decode("utf-16-be").encode()
    code = int(value, 8 if kind == "octal" else 16)
    return bytes([code]) if kind in ("octal", "hex") else chr(code).encode("utf-8", "surrogatepass")


def _end_string(here: _Open, pieces: list, text: str, origin: str) -> None:
    """Set the field to the string whose `pieces` are read, and forget them."""
    first, *parts = pieces
    field, value = here.descriptor.fields_by_name[first.field], b"".join(parts)
    try:
        _set(here.message, field, value.decode("utf-8") if field.type == Field.TYPE_STRING else value)
    except UnicodeDecodeError:
        raise error_at(text, origin, first.offset, "this string is not UTF-8") from None
    here.last = ITEM if here.last in IN_LIST else END
    pieces.clear()


def _opened(here: _Open, name: str, origin: str) -> Message:
    """The message in the field `name` that is to be filled: one that is forgotten where only the first counts."""
    value = getattr(here.message, name)
    if hasattr(value, "add"):
        return value.add()
    if here.descriptor.fields_by_name[name].full_name in FIRST_COUNTS and here.message.HasField(name):
        if name not in here.told:
            log.warning("%s: %s of %s is given more than once; the first counts", origin, name, here.descriptor.name)
            here.told.add(name)
        return type(value)()
    return value


def _takes_several(field: Field) -> bool:
    return field.is_repeated or field.full_name in FIRST_COUNTS


def _set(message: Message, field: Field, value: object) -> None:
    if field.is_repeated:
        getattr(message, field.name).append(value)
    elif field.full_name not in FIRST_COUNTS or not message.HasField(field.name):
        setattr(message, field.name, value)


def _problem(token: Token, levels: list[_Open], text: str) -> dict | None:
    """What is wrong with `token`, as parts of an error."""
    here = levels[-1]
    last, sign = here.last, token.text if token.kind == "sign" else ""
    if token.kind == "name":
        if last in (NAME, COLON):
            return dict(message=f"after {here.field!r}", expected="':' and a value, or '{'", got=repr(token.text))
        return _name_problem(token, levels, text)
    if sign and sign in CLOSING:
        if len(levels) == 1:
            return dict(message=f"this {sign!r} closes nothing", hint="remove it, or add the missing '{'")
        if last in (NAME, COLON):
            return dict(message=f"field {here.field!r} has no value", got=repr(sign))
        if last in IN_LIST:
            return dict(message=f"the list of {here.field!r} is never closed", got=repr(sign), hint="add a ']'")
        return None if sign == here.closing else dict(expected=repr(here.closing), got=repr(sign))
    field = here.descriptor.fields_by_name.get(token.field)
    if field is None:
        return dict(expected="a field name", got=repr(token.text), hint=COMMENTS if token.text == "/" else "")
    is_message = field.type == Field.TYPE_MESSAGE
    if sign and sign in OPENING:
        if last not in (NAME, COLON, OPEN_LIST, COMMA):
            return dict(message=f"unexpected {sign!r}")
        if is_message and len(levels) > DEPTH:
            return dict(message=f"more than {DEPTH} levels of messages")
        return None if is_message else _wrong(token, field)
    if sign:
        return _sign_problem(sign, last, field, here)
    if is_message:
        return dict(message=f"field {field.name!r} is a {field.message_type.name}", expected="'{'", got=token.text)
    if last == NAME:
        return dict(message=f"after {token.field!r}", expected="':'", got=token.text)
    if last not in (COLON, OPEN_LIST, COMMA):
        return dict(expected="a field name" if last != ITEM else "',' or ']'", got=token.text)
    return _value_problem(token, field)


def _sign_problem(sign: str, last: int, field: Field, here: _Open) -> dict | None:
    """What is wrong with a sign that opens and closes no message."""
    if sign == ":" and last == NAME:
        return None
    if sign == "[" and (last == COLON or last == NAME and field.type == Field.TYPE_MESSAGE):
        return None if _takes_several(field) else dict(message=f"field {field.name!r} takes one value, not a list",
                                                   hint="remove the brackets")
    if sign == "]" and last in (OPEN_LIST, ITEM) or sign == "," and last in (ITEM, END) or sign == ";" and last == END:
        return None
    return dict(message=f"unexpected {sign!r}", hint=COMMENTS if sign in "/*;%" else "")


def _name_problem(token: Token, levels: list[_Open], text: str) -> dict | None:
    here, message = levels[-1], levels[-1].descriptor
    field = message.fields_by_name.get(token.text)
    if field is None:
        if text[token.offset - 1:token.offset] in ("'", '"'):
            hint = "is a quote missing before it?"
        elif any(token.text in outer.descriptor.fields_by_name for outer in levels[:-1]):
            opened = place(text, "", token.path[-1].offset).split(":")[1]
            hint = f"the {message.name} opened in line {opened} is still open here: is a '}}' missing?"
        else:
            kind = next((TYPE.match(text, outer.seen["type"]) for outer in reversed(levels) if "type" in outer.seen),
                        None)
            net = NET.search(text) if len(levels) == 1 else None
            hint = unknown_field(token.text, tuple(outer.descriptor for outer in levels), kind[1] if kind else "",
                                 net[1] if net else "")
        return dict(message=f"{message.name} has no field {token.text!r}", hint=hint)
    if token.text in here.seen and not _takes_several(field):
        line = place(text, "", here.seen[token.text]).split(":")[1]
        return dict(message=f"field {token.text!r} of {message.name} is given a second time",
                    hint=f"it takes one value, and has it from line {line}")
    return None


def _value_problem(token: Token, field: Field) -> dict | None:
    if token.kind == "cut":
        return dict(message="this string does not end in its line", hint=f"add the closing {token.text[0]}")
    if token.kind == "string":
        try:
            inner = token.text.encode("utf-8", "surrogateescape")
        except UnicodeEncodeError:
            return dict(message="this string is not UTF-8")
        bad = next((match for match in ESCAPE.finditer(inner) if match["bad"]), None) if b"\\" in inner else None
        if bad:
            return dict(message=f"{bad.group().decode('utf-8', 'replace')} stands for no character",
                        hint=r"write \\ for a backslash, or / in a path")
        return None if field.type in TEXTS else _wrong(token, field, _old_type(token, field))
    return _wrong(token, field, _unquoted(token, field)) if field.type in TEXTS else None


def _unquoted(token: Token, field: Field) -> str:
    """A hint for a text without quotes, which in a layer may be a type of the second generation."""
    old = field.file.message_types_by_name["V1LayerParameter"].enum_types_by_name["LayerType"].values_by_name \
        if field.full_name.split(".")[-2:] == ["LayerParameter", "type"] else {}
    return f"{token.text} is of the old layers {{ … }}; a layer {{ … }} has its type between quotes, such as \"Data\"" \
        if token.text in old else "put it between quotes"


def _old_type(token: Token, field: Field) -> str:
    """A hint for the type of a layer of today in a layer of the second generation."""
    if field.full_name.split(".")[-2:] != ["V1LayerParameter", "type"]:
        return ""
    name = next((name for name in field.enum_type.values_by_name
                 if name.replace("_", "").lower() == token.text[1:-1].lower()), None)
    return "write layer { … }" + (f", or the old name, type: {name}" if name else "")


def _wrong(token: Token, field: Field, hint: str = "") -> dict:
    return dict(message=f"field {field.name!r}", expected=scalars.expected(field), got=token.text, hint=hint)
