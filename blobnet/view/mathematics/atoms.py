"""The smallest pieces of a formula: numbers, names, and what stands between brackets."""

from __future__ import annotations

from collections.abc import Sequence

from blobnet.errors import ParseError
from blobnet.view.mathematics.nodes import Group, Index, Node, Number, Operator, Symbol, row
from blobnet.view.mathematics.tokens import CLOSING, END, Token, closing

DEEPEST = 60  # factors in factors; more than any page has, and far from what the stack of Python holds


class Atoms:
    """Reads `tokens` from `at` on; ParseError where they are no formula. Subclasses read what atoms are joined to."""

    def __init__(self, tokens: Sequence[Token], depth: int = 0):
        self.tokens, self.depth, self.at = tokens, depth, 0
        self.strokes: list[str] = []  # | and || that are open

    def inside(self) -> Node:
        """What stands between the bracket at `at` and the one that closes it; goes on behind that."""
        raise NotImplementedError

    def sum(self) -> Node:
        """Terms with signs between them."""
        raise NotImplementedError

    def token(self, number: int) -> Token:
        """Token `number`, END behind the last one."""
        return self.tokens[number] if number < len(self.tokens) else END

    @property
    def next(self) -> Token:
        return self.token(self.at)

    @property
    def end(self) -> int:
        """Where what was read so far ends in the source."""
        return self.tokens[self.at - 1].end if self.at else self.tokens[0].start

    def deeper(self) -> None:
        """A factor begins; those that it is in are not finished. ParseError for one that no stack would hold."""
        self.depth += 1
        if self.depth > DEEPEST:
            raise self.wrong(f"at most {DEEPEST} factors in each other")

    def take(self) -> Token:
        token = self.next
        self.at += 1
        return token

    def wrong(self, expected: str) -> ParseError:
        return ParseError(f"formula:{self.next.start + 1}", expected=expected, got=repr(self.next.text or "the end"))

    def indexed(self, node: Node) -> Node:
        """`node` with the brackets that follow it without a space: y[n, k], f(x), x_(i)."""
        while self.next.kind == "open" and not self.next.gap and not isinstance(node, Number):
            opening = self.next.text
            lowered = isinstance(node, Symbol) and node.text.endswith("_")
            if opening == "[" or lowered:
                node = Index(node, self.inside())
            elif opening == "(":
                node = row(node, Group("(", self.inside(), ")"))
            else:
                break
        return node

    def atom(self) -> Node:
        token = self.next
        if token.kind in ("number", "symbol"):
            return (Number if token.kind == "number" else Symbol)(self.take().text)
        if token.kind == "ellipsis":
            return Symbol(self.take().text)
        if token.text in ("(", "["):
            return Group(token.text, self.inside(), CLOSING[token.text])
        if token.kind == "bar":
            return self.between_strokes(self.take().text)
        if self.is_angle(self.at):
            return self.between_angles()
        raise self.wrong("a number, a name or a bracket")

    def between_strokes(self, stroke: str) -> Node:
        self.strokes.append(stroke)
        inner = self.sum()
        if self.next.text != stroke:
            raise self.wrong(f"{stroke!r} that closes {stroke!r}")
        self.take()
        self.strokes.pop()
        return Group(stroke, inner, stroke)

    def between_angles(self) -> Node:
        """<a, b>."""
        self.take()
        items = [self.sum()]
        while self.next.text == ",":
            items += [Operator(self.take().text), self.sum()]
        if self.next.text != ">":
            raise self.wrong("'>' that closes '<'")
        self.take()
        return Group("⟨", row(*items), "⟩")

    def is_angle(self, number: int) -> bool:
        """Whether token `number` is the bracket <: no space after it, unlike the sign between two numbers."""
        token = self.token(number)
        return token.text == "<" and not self.token(number + 1).gap and (token.gap > 0 or number == 0)

    def is_remark(self) -> bool:
        """Whether the bracket at `at` holds words."""
        return any(token.kind == "text" for token in self.tokens[self.at:closing(self.tokens, self.at)])

    def words_follow(self) -> bool:
        return self.next.kind == "text"
