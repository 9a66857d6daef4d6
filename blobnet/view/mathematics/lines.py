"""The lines of a block of formulas, joined where a sentence or a formula goes on."""

from __future__ import annotations

import re
from typing import NamedTuple

from blobnet.view.mathematics.roles import with_roles
from blobnet.view.mathematics.tokens import WIDE, tokenize

# "TRAIN:", "batch statistics:", "MAX  ", "without a true box  "
LABEL = re.compile(r"(?:[\w-]+(?:,? [\w-]+){0,3}(?::(?!\S) *|  +))+")
GAP = re.compile(rf" {{{WIDE},}}")
SENTENCE = re.compile(r"(?:[A-Z][a-z]+|backward)[ ,]")
FINISHED, WITH = re.compile(r"[)\]|]$"), re.compile(r"with(?:out)? ")  # a formula, and what changes more than it
UNFINISHED = re.compile(r"""(?: [=+*/-] | \b(?:a|an|and|as|at|by|else|for|from|if|in|of|or|than|the|to|where|with)
                              | \bwithout | \band\ [A-Z] | \b(?:of|without)\ [a-z]{3,} )$""", re.VERBOSE)


class Line(NamedTuple):
    """Text without line breaks: whether it begins with a formula, is set in, and begins a paragraph."""

    text: str
    formula: bool
    inset: bool
    first: bool


def lines_of(text: str) -> list[Line]:
    """The lines of a block; those that only go on are joined to the lines before them."""
    lines: list[Line] = []
    for paragraph in re.split(r"\n\s*\n", text.strip("\n")):
        joined: list[str] = []
        for written in filter(str.strip, paragraph.split("\n")):
            if joined and not begins(written.rstrip(), joined[-1]):
                joined[-1] += f" {written.strip()}"
            else:
                joined.append(written.rstrip())
        lines += [Line(line.strip(), any(map(is_formula, GAP.split(line))), line[0] == " " and number > 0, number == 0)
                  for number, line in enumerate(joined)]
    return lines


def begins(line: str, before: str) -> bool:
    """Whether `line` is more than what is left of the line before it."""
    if UNFINISHED.search(before):
        return False
    return before[-1] in ".;:" or line[0] == " " or is_formula(line) or any(
        pattern.match(line) for pattern in (LABEL, SENTENCE)) or bool(FINISHED.search(before) and WITH.match(line))


def is_formula(text: str) -> bool:
    """Whether `text`, without its label, begins with something that is set equal to something."""
    for token in with_roles(tokenize(text[label_end(text):])):
        if token.kind == "operator" and token.text in ("=", "+="):
            return True
        if token.kind == "text" or token.text in (";", ":"):
            break
    return False


def label_end(text: str) -> int:
    """How many characters of `text` are its label, such as "TRAIN:"."""
    label = LABEL.match(text)
    return label.end() if label else 0
