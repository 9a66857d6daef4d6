"""Places in a text: its tokens, "file:line:column", and errors that show the line they speak of.

The tokens are those of prototxt (https://protobuf.dev/reference/protobuf/textformat-spec/); YAML uses the errors only.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from blobnet.errors import ParseError

TOKEN = re.compile(r"""(?P<skip>[ \t\n\r\f\v]+|\#[^\n]*)
                     | (?P<string>"[^"\\\n]*(?:\\.[^"\\\n]*)*"|'[^'\\\n]*(?:\\.[^'\\\n]*)*')
                     | (?P<cut>["'][^\n]*)
                     | (?P<word>(?:-(?:[ \t\n\r\f\v]|\#[^\n]*\n)+(?=[.0-9]|inf|nan))?[-+.\w]+)
                     | (?P<sign>.)""", re.VERBOSE | re.IGNORECASE)
SHOWN = 60  # characters of a wrong value
OPENING, CLOSING = ("{", "<"), ("}", ">")


class Frame(NamedTuple):
    """An open message: the field it is the value of, how many of that field came before it, where its `{` stands."""

    field: str
    number: int
    offset: int


class Token(NamedTuple):
    """A token where it stands. The path of a `{` has the message it opens, that of a `}` not the one it closes."""

    kind: str  # "name" of a field, its "value" (a "string" if quoted, "cut" if it has no end), or "sign"
    text: str
    offset: int
    field: str  # the last field name before it in the same message
    path: tuple[Frame, ...]


def walk(text: str) -> Iterator[Token]:
    """The tokens of a prototxt, well formed or not, without comments.

    >>> [(token.kind, token.text, token.field) for token in walk("layer { name: 'a' }  # end")][2:]
    [('name', 'name', 'name'), ('sign', ':', 'name'), ('string', "'a'", 'name'), ('sign', '}', 'layer')]
    """
    path: tuple[Frame, ...] = ()
    counts: list[Counter] = [Counter()]
    lists = [False]  # for every open message: are we between [ and ]?
    field, wants_value = "", False
    for match in TOKEN.finditer(text):
        kind, word, offset = match.lastgroup, match.group(), match.start()
        if kind == "skip":
            continue
        if kind == "word":
            kind = "value" if wants_value or lists[-1] else "name"
            field = word if kind == "name" else field
        elif kind == "sign" and word in OPENING:
            path += (Frame(field, counts[-1][field], offset),)
            counts[-1][field] += 1
            counts.append(Counter())
            lists.append(False)
        elif kind == "sign" and word in CLOSING and path:
            field, path = path[-1].field, path[:-1]
            counts.pop()
            lists.pop()
        elif kind == "sign" and word in "[]":
            lists[-1] = word == "["
        wants_value = kind == "sign" and word == ":"
        yield Token(kind, word, offset, field, path)


def place(text: str, origin: str, offset: int) -> str:
    """The place of `offset` in `text` as "origin:line:column", both counted from 1.

    >>> place("a\\nbc", "net.prototxt", 3)
    'net.prototxt:2:2'
    """
    return f"{origin}:{text.count(chr(10), 0, offset) + 1}:{offset - text.rfind(chr(10), 0, offset)}"


def error_at(text: str, origin: str, offset: int, message: str = "", **parts) -> ParseError:
    """A ParseError whose message ends with the source line at `offset` and a mark under the column."""
    start = text.rfind("\n", 0, offset) + 1
    first = max(start, offset - 60)  # of a long line only the part around the mark
    line = text[first:first + 110].split("\n", 1)[0].rstrip()
    mark = re.sub(r"[^\t]", " ", text[first:offset]) + "^"
    if len(parts.get("got", "")) > SHOWN:
        parts["got"] = parts["got"][:SHOWN] + "…"
    error = ParseError(place(text, origin, offset), message, **parts)
    error.args = (f"{error}\n    {line}\n    {mark}".encode("utf-8", "replace").decode(),)  # which can be printed
    return error
