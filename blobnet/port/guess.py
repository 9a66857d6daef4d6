"""The schema of options that nobody knows, guessed from how files write them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain

from blobnet.proto.source import CLOSING, Token

Tree = Mapping[str, list]  # field: its values, each a token of a scalar, or the tree of a message
Trees = dict[str, list]
WHOLE = re.compile(r"[-+]?\d+|0[xX][0-9a-fA-F]+")
NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?f?|[-+]?(inf|nan)", re.IGNORECASE)
TRUTH = ("true", "false", "True", "False", "t", "f")


def trees(tokens: Iterable[Token], depth: int) -> Iterator[tuple[str, Tree]]:
    """The messages among `tokens`, those of a text, that fields hold at this `depth` of messages: field and tree."""
    waiting: list[Token] = []
    for token in tokens:
        if len(token.path) > depth:
            waiting.append(token)
        elif waiting:
            yield waiting[0].path[depth].field, _tree(waiting[1:], depth + 1)
            waiting = []


def _tree(tokens: Sequence[Token], depth: int) -> Tree:
    """What stands between the brackets of a message."""
    found: Trees = {}
    for token in tokens:
        if len(token.path) == depth and token.kind in ("value", "string"):
            found.setdefault(token.field, []).append(token)
    inner = [token for token in tokens if len(token.path) > depth or token.text in CLOSING]
    for field, tree in trees(inner, depth):
        found.setdefault(field, []).append(tree)
    return found


def schema(name: str, given: Sequence[Tree]) -> list[str]:
    """The lines of .proto text of the message `name`, behind the messages in it, such that all trees are of it.

    >>> from blobnet.proto.source import walk
    >>> (field, tree), = trees(walk("foo_param { a: 1 a: 2.5 b { c: 'x' } }"), 0)
    >>> print("\\n".join(schema("FooParameter", [tree])))
    message FooBParameter {
      optional string c = 1;
    }
    message FooParameter {
      repeated float a = 1;
      optional FooBParameter b = 2;
    }
    """
    before: list[str] = []
    lines = [f"message {name} {{"]
    for number, field in enumerate(dict.fromkeys(chain.from_iterable(given)), 1):
        uses = [tree[field] for tree in given if field in tree]
        values = list(chain.from_iterable(uses))
        words = [value.text for value in values if isinstance(value, Token)]
        kind = _kind(field, words) if words else name.removesuffix("Parameter") + camel(field) + "Parameter"
        if not words:
            before += schema(kind, values)
        elif kind[0].isupper():
            names = " ".join(f"{word} = {i};" for i, word in enumerate(dict.fromkeys(words)))
            lines.append(f"  enum {kind} {{ {names} }}  // and what else there may be")
        lines.append(f"  {'repeated' if max(map(len, uses)) > 1 else 'optional'} {kind} {field} = {number};")
    return [*before, *lines, "}"]


def _kind(field: str, words: Sequence[str]) -> str:
    """The type of a field with these values; a name with a capital for an enum."""
    if words[0] and words[0][0] in "'\"":
        return "string"
    if all(word in TRUTH for word in words):
        return "bool"
    if all(WHOLE.fullmatch(word) for word in words):
        return "int64" if any(abs(int(word, 0)) >= 2 ** 31 for word in words if not word.startswith("0")) else "int32"
    return "float" if all(NUMBER.fullmatch(word) for word in words) else camel(field)


def camel(name: str) -> str:
    """A field's name as that of a message.

    >>> camel("roi_align_param")
    'RoiAlign'
    """
    return "".join(part[:1].upper() + part[1:] for part in name.removesuffix("_param").split("_"))
