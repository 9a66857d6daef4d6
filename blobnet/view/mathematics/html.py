"""A block of formulas and sentences as HTML."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from blobnet.errors import ParseError
from blobnet.view.mathematics.elements import SIGNS, tag
from blobnet.view.mathematics.lines import Line, label_end, lines_of
from blobnet.view.mathematics.mathml import mathml
from blobnet.view.mathematics.nodes import Chain, Node, Number, Operator, Part, Text, row
from blobnet.view.mathematics.roles import with_roles
from blobnet.view.mathematics.statement import Item, Statement
from blobnet.view.mathematics.tokens import WIDE, Token, tokenize

PLAIN = Text("")  # a clause that cannot be read
SHORT = 12  # characters of a left side that stays with its right side
LONG = 40  # characters of a formula; longer ones may be broken before an operator


def formula_html(text: str) -> str:
    """The formulas of a docstring, `text`, as HTML with MathML: a block with a line for each formula and sentence.

    `text` is what stands between the line of purpose and "Bottoms:": formulas, words between them, sentences, on lines
    that may go on. What is no formula stays as it is; a formula that cannot be read is shown as it is written, in
    an element of the class "plain". Each <math> has the text it was made from as its aria-label.
    """
    return tag("div", *("\n" + _line(line) for line in lines_of(text)), "\n", **{"class": "formulas"})


def _line(line: Line) -> str:
    kinds = ["formula" if line.formula else "sentence", *["inset"] * line.inset, *["first"] * line.first]
    pieces = [tag("span", "".join(_piece(tokens, line)), **{"class": "piece"}) for tokens in _pieces(line.text)]
    return tag("div" if line.formula else "p", " ".join(pieces), **{"class": " ".join(kinds)})


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


def _piece(tokens: Sequence[Token], line: Line) -> list[str]:
    """The markup of a piece: words as text, formulas as <math>, each clause that cannot be read as it is written."""
    items: list[Item] = []
    for clause in _clauses(tokens):
        try:
            items += Statement(clause).items()
        except ParseError:
            items.append(Item(PLAIN, clause[0].start, clause[-1].end, clause[0].gap))
    label = tokens[0].start + label_end(line.text[tokens[0].start:]) if line.formula else 0
    count = sum(item.end <= label for item in items)
    written = [" " * bool(item.gap and number) + _item(item, line) for number, item in enumerate(items)]
    return [tag("span", *written[:count], **{"class": "label"})] * bool(count) + written[count:]


def _clauses(tokens: Sequence[Token]) -> list[Sequence[Token]]:
    """The parts of a piece that end with a semicolon or a full stop, outside of brackets."""
    first, depth, clauses = 0, 0, []
    for number, token in enumerate(tokens):
        depth = max(0, depth + (token.kind == "open") - (token.kind == "close"))
        if number + 1 == len(tokens) or token.text in (";", ".") and token.kind == "punctuation" and not depth:
            clauses.append(tokens[first:number + 1])
            first = number + 1
    return clauses


def _item(item: Item, line: Line) -> str:
    text = line.text[item.start:item.end]
    if item.node is PLAIN:
        return tag("i", escape(text), **{"class": "plain"})
    if isinstance(item.node, (Text, Number)):
        return tag("code", escape(text[1:-1])) if text[0] == "`" else escape(text)
    if isinstance(item.node, Operator):
        return escape(SIGNS.get(text, text))
    return "<wbr/>".join(_math(node, " ".join(line.text[start:end].split()), line.formula)
                    for node, start, end in _broken(item.node, item.start, item.end))


def _math(node: Node, text: str, display: bool) -> str:
    style = {"displaystyle": "true"} if display else {}
    return tag("math", mathml(node), **{"aria-label": text, **style})


def _broken(node: Node, start: int, end: int) -> list[tuple[Node, int, int]]:
    """`node` in the pieces that a long formula may be broken into, and where these stand in the source."""
    if not isinstance(node, Chain) or end - start <= LONG:
        return [(node, start, end)]
    pieces = []
    for part in node.parts:
        inner = _broken(part.node, part.start, part.end)
        first = Chain((Part(part.operator, inner[0][0], part.start, part.end),)) if part.operator else inner[0][0]
        pieces += [(first, part.start, inner[0][2]), *inner[1:]]
    if len(pieces) == 1 or pieces[0][2] - start > SHORT:
        return pieces
    return [(row(pieces[0][0], pieces[1][0]), start, pieces[1][2]), *pieces[2:]]
