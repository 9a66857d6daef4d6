"""A line of formulas and words, read piece by piece."""

from __future__ import annotations

from collections.abc import Sequence

from blobnet.errors import ParseError
from blobnet.view.mathematics.nodes import Text
from blobnet.view.mathematics.roles import with_roles
from blobnet.view.mathematics.statement import Item, Statement
from blobnet.view.mathematics.tokens import WIDE, Token, tokenize

PLAIN = Text("")  # stands for a clause that cannot be read


def read_line(text: str) -> list[list[Item]]:
    """The items of every piece of `text`; the pieces are what wide gaps stand between.

    A clause, up to a semicolon or a full stop, that cannot be read is one item, PLAIN.
    """
    gradients = 0
    pieces: list[list[Item]] = []
    for tokens in _pieces(text):
        pieces.append([])
        for clause in _clauses(tokens):
            statement = Statement(clause)
            statement.gradients = gradients
            try:
                pieces[-1] += statement.items()
            except ParseError:
                pieces[-1].append(Item(PLAIN, clause[0].start, clause[-1].end, clause[0].gap))
            gradients = statement.gradients
    return pieces


def _pieces(text: str) -> list[list[Token]]:
    """The tokens of `text`, apart where it has wide gaps outside of brackets."""
    pieces: list[list[Token]] = []
    depth = 0
    for token in with_roles(tokenize(text)):
        if not pieces or token.gap >= WIDE and depth == 0:
            pieces.append([])
        depth = max(0, depth + (token.kind == "open") - (token.kind == "close"))
        pieces[-1].append(token)
    return pieces


def _clauses(tokens: Sequence[Token]) -> list[Sequence[Token]]:
    """The parts of a piece that end with a semicolon or a full stop, outside of brackets."""
    first, depth, clauses = 0, 0, []
    for number, token in enumerate(tokens):
        depth = max(0, depth + (token.kind == "open") - (token.kind == "close"))
        if number + 1 == len(tokens) or token.text in (";", ".") and token.kind == "punctuation" and not depth:
            clauses.append(tokens[first:number + 1])
            first = number + 1
    return clauses
