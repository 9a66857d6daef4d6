"""What is wrong with a prototxt that protobuf refused: the first token that the schema or the syntax does not allow."""

from __future__ import annotations

import re

from google.protobuf.descriptor import Descriptor
from google.protobuf.descriptor import FieldDescriptor as Field

from blobnet.errors import ParseError
from blobnet.proto import scalars
from blobnet.proto.source import CLOSING, OPENING, Token, error_at, place, walk
from blobnet.proto.unknown import unknown_field

COMMENTS = "comments start with #"
ESCAPE = re.compile(r"""\\(?:[abfnrtv\\'"]|[0-3][0-7]{0,2}|[4-7][0-7]?(?![0-7])|x[0-9a-fA-F]|u[0-9a-fA-F]{4}
                        |U[0-9a-fA-F]{8}|(?P<bad>.))""", re.VERBOSE)
STRING = re.compile(r"""(["'])(\\.|(?!\1)[^\\])*\1""")
TYPE = re.compile(r"""type\s*:\s*["']?(\w+)""")
NET = re.compile(r"""^\s*(?:train_)?net\s*:\s*["']([^"'\n]+)""", re.MULTILINE)


def explain(text: str, origin: str, root: Descriptor) -> ParseError | None:
    """The error at the first wrong token of `text`, which should be a message `root`; None if nothing is found."""
    open_messages, seen = [root], [{}]  # and for each the offsets of the fields it has so far
    previous = token = None
    for token in walk(text):
        problem = _problem(token, previous, open_messages, seen, text)
        if problem:
            return error_at(text, origin, token.offset, **problem)
        if token.kind == "name":
            seen[-1].setdefault(token.text, token.offset)
        elif token.kind == "sign" and token.text in OPENING:
            open_messages.append(open_messages[-1].fields_by_name[token.field].message_type)
            seen.append({})
        elif token.kind == "sign" and token.text in CLOSING:
            open_messages.pop()
            seen.pop()
        previous = token
    if token and token.path:
        frame = token.path[-1]
        return error_at(text, origin, frame.offset, f"this {text[frame.offset]!r} of {frame.field!r} is never closed",
                        hint="add the missing '}'")
    if _unfinished(token):
        return error_at(text, origin, token.offset, f"field {token.field!r} has no value", got="end of text")
    return None


def has_bad_escape(text: str) -> bool:
    """Whether a backslash anywhere in `text`, be it in a comment, is followed by what no escape begins with."""
    return any(match["bad"] for match in ESCAPE.finditer(text))


def _unfinished(token: Token | None) -> bool:
    return token is not None and (token.kind == "name" or token.kind == "sign" and token.text == ":")


def _problem(token: Token, previous: Token | None, open_messages: list, seen: list, text: str) -> dict | None:
    """What is wrong with `token` after `previous`, as parts of an error."""
    if token.kind == "name":
        if _unfinished(previous):
            return dict(message=f"after {previous.text!r}", expected="':' and a value, or '{'", got=repr(token.text))
        return _name_problem(token, previous, open_messages, seen, text)
    if token.kind == "sign" and token.text in CLOSING:
        if len(open_messages) == 1:
            return dict(message=f"this {token.text!r} closes nothing", hint="remove it, or add the missing '{'")
        if _unfinished(previous):
            return dict(message=f"field {previous.field!r} has no value", got=repr(token.text))
        return None
    field = open_messages[-1].fields_by_name.get(token.field)
    if field is None:
        return dict(expected="a field name", got=repr(token.text), hint=COMMENTS if token.text == "/" else "")
    is_message = field.type == Field.TYPE_MESSAGE
    if token.kind == "sign" and token.text in OPENING:
        return None if is_message else _wrong(token, field)
    if token.kind == "sign":
        if token.text == "[" and not field.is_repeated:
            return dict(message=f"field {field.name!r} takes one value, not a list", hint="remove the brackets")
        return None if token.text in ":[],;" else dict(message=f"unexpected {token.text!r}", hint=COMMENTS)
    if is_message:
        return dict(message=f"field {field.name!r} is a {field.message_type.name}", expected="'{'", got=token.text)
    if previous and previous.kind == "name":
        return dict(message=f"after {previous.text!r}", expected="':'", got=token.text)
    return _value_problem(token, field)


def _name_problem(token: Token, previous: Token | None, open_messages: list, seen: list, text: str) -> dict | None:
    message = open_messages[-1]
    field = message.fields_by_name.get(token.text)
    if field is None:
        if previous and previous.kind == "string" and previous.offset + len(previous.text) == token.offset:
            hint = "is a quote missing before it?"
        elif any(token.text in outer.fields_by_name for outer in open_messages[:-1]):
            opened = place(text, "", token.path[-1].offset).split(":")[1]
            hint = f"the {message.name} opened in line {opened} is still open here: is a '}}' missing?"
        else:
            kind = next((TYPE.match(text, fields["type"]) for fields in reversed(seen) if "type" in fields), None)
            net = NET.search(text)
            hint = unknown_field(token.text, open_messages, kind[1] if kind else "", net[1] if net else "")
        return dict(message=f"{message.name} has no field {token.text!r}", hint=hint)
    if token.text in seen[-1] and not field.is_repeated:
        line = place(text, "", seen[-1][token.text]).split(":")[1]
        return dict(message=f"field {token.text!r} of {message.name} is given a second time",
                    hint=f"it takes one value, and has it from line {line}")
    return None


def _value_problem(token: Token, field: Field) -> dict | None:
    is_string = field.type in (Field.TYPE_STRING, Field.TYPE_BYTES)
    if token.kind == "string":
        if not STRING.fullmatch(token.text):
            return dict(message="this string does not end in its line", hint=f"add the closing {token.text[0]}")
        bad = next((match for match in ESCAPE.finditer(token.text) if match["bad"]), None)
        if bad:
            return dict(message=f"{bad.group()} stands for no character",
                        hint=r"write \\ for a backslash, or / in a path")
        if re.search(r"[\ud800-\udfff]", token.text):
            return dict(message="this string is not UTF-8")
        return None if is_string else _wrong(token, field, _old_type(token, field))
    if is_string:
        return _wrong(token, field, "put it between quotes")
    try:
        scalars.read(field, token.text)
        return None
    except ValueError as error:
        return _wrong(token, field, str(error))


def _old_type(token: Token, field: Field) -> str:
    """A hint for the type of a layer of today in a layer of the second generation."""
    if field.full_name.split(".")[-2:] != ["V1LayerParameter", "type"]:
        return ""
    name = next((name for name in field.enum_type.values_by_name
                 if name.replace("_", "").lower() == token.text[1:-1].lower()), None)
    return "write layer { … }" + (f", or the old name, type: {name}" if name else "")


def _wrong(token: Token, field: Field, hint: str = "") -> dict:
    return dict(message=f"field {field.name!r}", expected=scalars.expected(field), got=token.text, hint=hint)
