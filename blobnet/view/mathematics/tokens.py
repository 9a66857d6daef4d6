"""The text of a formula in pieces: numbers, names, signs, brackets."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from blobnet.errors import ParseError

CLOSING = {"(": ")", "[": "]", "{": "}"}
WIDE = 3  # so many spaces stand between formulas of one line

PATTERN = re.compile(r"""
  (?P<text>        `[^`\n]*` | "[^"\n]*"
                 | [^\W\d_]+'[^\W\d_]+ | e\.g\.|i\.e\.                           # bin's
                 | [^\W\d_]+(?:-[^\W\d_]{2,})+ | [^\W\d_]{2,}(?:-[^\W\d_]+)+ ) # k-th, one-hot
| (?P<number>      \d+(?:\.\d+)?(?:e[+-]?\d+)? )
| (?P<name>        [^\W\d_][+-](?=[\s|)\],;]|$)                                # w+
                 | [^\W\d_]\w+(?:\.[^\W\d_]\w+)+                               # user.forward
                 | [^\W\d_]\w*'*(?:(?<=')_\w+)? )                              # x, t_w, h'_ijk
| (?P<ellipsis>    \.\.\. | … )
| (?P<operator>    \+= | -= | <= | >= | != | == | -> | <-(?=\s) | \*\* | // | -\+ | \+- | (?<=\s)\.(?=\s)
                 | [=<>+\-*/^] )
| (?P<bar>         \|\|? )
| (?P<open>        [(\[{] )
| (?P<close>       [)\]}] )
| (?P<punctuation> [,;:.] )
| (?P<other>       \S )
""", re.VERBOSE)


class Token(NamedTuple):
    """A piece of a text: its kind, where it begins and ends there, and how many spaces stand before it."""

    kind: str
    text: str
    start: int
    end: int
    gap: int


END = Token("end", "", 0, 0, 1)


def tokenize(text: str) -> list[Token]:
    """All pieces of `text` in order; between them is nothing but white space."""
    tokens: list[Token] = []
    for match in PATTERN.finditer(text):
        kind = {"other": "text"}.get(match.lastgroup, match.lastgroup)
        gap = match.start() - (tokens[-1].end if tokens else 0)
        tokens.append(Token(kind, match.group(), match.start(), match.end(), gap))
    return tokens


def closing(tokens: Sequence[Token], opening: int) -> int:
    """The number of the bracket that closes bracket `opening`; ParseError if there is none of the same kind."""
    waiting: list[str] = []
    for number in range(opening, len(tokens)):
        token = tokens[number]
        if token.kind == "open":
            waiting.append(CLOSING[token.text])
        elif token.kind == "close":
            if waiting.pop() != token.text:
                break
            if not waiting:
                return number
    token = tokens[opening]
    raise ParseError(f"formula:{token.start + 1}", expected=f"{CLOSING[token.text]!r} that closes {token.text!r}",
                     got="none")
