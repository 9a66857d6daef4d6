"""Formulas, words and signs of punctuation, one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from blobnet.view.mathematics.cases import RELATIONS, Relations
from blobnet.view.mathematics.expression import SIGNS
from blobnet.view.mathematics.nodes import Node, Operator, Symbol, Text, row
from blobnet.view.mathematics.tokens import Token, closing

NO_BREAK = "\u00a0"


class Item(NamedTuple):
    """A formula, a word or a sign, where it stands in the source, and how many spaces stand before it."""

    node: Node
    start: int
    end: int
    gap: int


class Statement(Relations):
    """Reads everything: what is no formula is Text. ParseError for formulas that cannot be read."""

    def items(self) -> list[Item]:
        """All of the tokens."""
        items: list[Item] = []
        while self.at < len(self.tokens):
            token = self.next
            if token.text == "{" or token.text == "(" and self.is_remark() and not self.is_computed():
                items += self.remark()
            else:
                node = self.item(items)
                items.append(Item(node, token.start, self.end, token.gap))
        return items

    def item(self, before: Sequence[Item]) -> Node:
        token = self.next
        if token.kind == "text":
            return Text(self.take().text)
        if token.kind == "punctuation":
            return Operator(self.take().text)
        if token.kind == "symbol" and is_listing(before):
            return self.indexed(Symbol(self.take().text))
        if token.kind in ("operator", "ellipsis") and not self.is_angle(self.at) and self.is_alone(before):
            return Operator(self.take().text)
        return self.relation()

    def is_alone(self, before: Sequence[Item]) -> bool:
        """Whether a sign has a word on one of its sides, where a number would stand."""
        if self.next.text in SIGNS or self.next.kind == "ellipsis":
            return self.is_text(self.at + 1)
        return self.is_text(self.at + 1) or not before or isinstance(before[-1].node, Text) or is_listing(before)

    def is_computed(self) -> bool:
        """Whether something is computed with the bracket that begins here."""
        after = self.token(closing(self.tokens, self.at) + 1)
        return after.kind == "operator" and after.text not in RELATIONS or after.kind == "open" and not after.gap

    def inside(self) -> Node:
        last = closing(self.tokens, self.at)
        items = self.part(self.at + 1, last)
        self.at = last + 1
        return joined(items)

    def range(self, last: int) -> Node:
        items = self.part(self.at, last)
        self.at = last
        return joined(items)

    def part(self, first: int, last: int) -> list[Item]:
        return Statement(self.tokens[first:last], self.depth + 1).items()

    def remark(self) -> list[Item]:
        """Words in brackets."""
        opening, last = self.take(), closing(self.tokens, self.at - 1)
        items = [_text(opening), *self.part(self.at, last), _text(self.tokens[last])]
        self.at = last + 1
        return items


def _text(token: Token) -> Item:
    return Item(Text(token.text), token.start, token.end, token.gap)


def is_listing(items: Sequence[Item]) -> bool:
    """Whether the last word is one of possession, and only names and commas follow it: "the window's h, w"."""
    for item in reversed(items):
        if isinstance(item.node, Text):
            return "'" in item.node.text
        if not isinstance(item.node, Symbol) and item.node != Operator(","):
            break
    return False


def joined(items: Sequence[Item]) -> Node:
    """The items as one node: words are joined, and no-break spaces keep them apart from signs and names."""
    nodes: list[Node] = []
    for number, item in enumerate(items):
        node, gap = item.node, bool(item.gap and number)
        if not isinstance(node, Text):
            if nodes and isinstance(nodes[-1], Text) and gap:
                nodes[-1] = Text(nodes[-1].text + NO_BREAK)
            nodes.append(node)
        elif nodes and isinstance(nodes[-1], Text):
            nodes[-1] = Text(nodes[-1].text + " " * gap + node.text)
        else:
            nodes.append(Text(NO_BREAK * gap + node.text))
    return row(*nodes)
