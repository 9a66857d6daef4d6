"""Words and formulas of a line as HTML, a <math> for each formula."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from blobnet.view.mathematics.cases import RELATIONS
from blobnet.view.mathematics.elements import SIGNS, tag
from blobnet.view.mathematics.mathml import SEPARATORS, mathml
from blobnet.view.mathematics.nodes import Big, Chain, Node, Number, Operator, Part, Text, row
from blobnet.view.mathematics.reading import PLAIN
from blobnet.view.mathematics.statement import Item

SHORT = 12  # characters of a left side that stays with its right side
LONG = 40  # characters of a formula; longer ones may be broken before an operator


def markup(items: Sequence[Item], text: str, display: bool) -> list[str]:
    """The HTML of each of the items of the line `text`. `display`: fractions and sums in their full size.

    A comma or the like behind a formula is kept with it, and its own HTML is empty.
    """
    written: list[str] = []
    for number, item in enumerate(items):
        *pieces, last = _pieces(item, text, display)
        if is_mathematics(item) and (mark := _mark(items[number + 1:number + 2])):
            last = tag("span", last, mark, **{"class": "whole"})
        follows = number > 0 and is_mathematics(items[number - 1]) and bool(_mark([item]))
        written.append("" if follows else " " * bool(item.gap and number) + "<wbr/>".join([*pieces, last]))
    return written


def is_mathematics(item: Item) -> bool:
    """Whether the item is set as mathematics."""
    return not isinstance(item.node, (Text, Number, Operator))


def _mark(items: Sequence[Item]) -> str:
    """The sign of punctuation that `items` begins with, if there is no space before it."""
    node = items[0].node if items and not items[0].gap else None
    return node.text if isinstance(node, Operator) and node.text in SEPARATORS else ""


def _pieces(item: Item, text: str, display: bool) -> list[str]:
    """An item, which may be broken between the pieces."""
    source = text[item.start:item.end]
    if item.node is PLAIN:
        return [tag("i", escape(source), **{"class": "plain"})]
    if isinstance(item.node, (Text, Number)):
        code = len(source) > 1 and source[0] == "`"
        return [tag("code", escape(source[1:-1])) if code else escape(source)]
    if isinstance(item.node, Operator):
        return [escape(SIGNS.get(source, source))]
    style = {"displaystyle": "true"} if display else {}
    return [tag("math", mathml(node), **{"aria-label": " ".join(text[start:end].split())}, **style)
            for node, start, end in broken(item.node, item.start, item.end)]


def broken(node: Node, start: int, end: int) -> list[tuple[Node, int, int]]:
    """`node` in the pieces that a long formula may be broken into, and where these stand in the source."""
    if isinstance(node, Big) and isinstance(node.body, Chain):
        (first, _, last), *others = broken(node.body, node.body.parts[0].start, end)
        return [(Big(node.text, node.index, first), start, last), *others]
    if not isinstance(node, Chain) or end - start <= LONG:
        return [(node, start, end)]
    pieces = []
    for part in node.parts:
        (first, _, last), *others = broken(part.node, part.start, part.end)
        if part.operator:
            first = Chain((Part(part.operator, first, part.start, part.end),))
        pieces += [(first, part.start, last), *others]
    if len(node.parts) == 1 or node.parts[1].operator.text not in RELATIONS or pieces[0][2] - start > SHORT:
        return pieces
    return [(row(pieces[0][0], pieces[1][0]), start, pieces[1][2]), *pieces[2:]]
