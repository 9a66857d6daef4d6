"""Formulas as MathML Core, which browsers draw without any library."""

from __future__ import annotations

from collections.abc import Callable
from html import escape

from blobnet.view.mathematics import nodes
from blobnet.view.mathematics.elements import sign, symbol, tag, with_scripts, word
from blobnet.view.mathematics.names import BIG

SPACE = '<mspace width="0.17em"/>'
STRUT = '<mspace height="0.95em" depth="0.4em"/>'  # so that all rows are of one height
TALL = ("mfrac", "munder", "mtable", "msqrt")  # what brackets grow around; they need not for subscripts and powers
SEPARATORS = {",", ";", ":", "."}


def mathml(node: nodes.Node) -> str:
    """The elements, one or several, that show `node`; a <math> or an <mrow> may hold them."""
    return WRITERS[type(node)](node)


def single(node: nodes.Node) -> str:
    """`node` as exactly one element."""
    several = isinstance(node, (nodes.Row, nodes.Chain, nodes.Big))
    return tag("mrow", mathml(node)) if several else mathml(node)


def bare(node: nodes.Node) -> nodes.Node:
    """`node` without round brackets around all of it, where a line or a place says what belongs together."""
    return node.inner if isinstance(node, nodes.Group) and node.opening == "(" else node


def _operator(node: nodes.Operator) -> str:
    if node.text in SEPARATORS:
        return sign(node.text)
    if node.form == "last":  # the words behind it bring a space of their own
        return sign(node.text, form="infix", rspace="0")
    return sign(node.text, form=node.form)


def _text(node: nodes.Text) -> str:
    return tag("mtext", escape(node.text))


def _row(node: nodes.Row) -> str:
    return "".join(map(mathml, node.items))


def _chain(node: nodes.Chain) -> str:
    return "".join((_operator(part.operator) if part.operator else "") + mathml(part.node) for part in node.parts)


def _fraction(node: nodes.Fraction) -> str:
    fraction = tag("mfrac", single(bare(node.top)), single(bare(node.bottom)))
    figures = isinstance(node.top, nodes.Number) and isinstance(node.bottom, nodes.Number)
    return tag("mstyle", fraction, displaystyle="false") if figures else fraction


def _scripts(node: nodes.Node) -> tuple[str, str, str]:
    """The base of `node` as one element, and what stands below and above it already."""
    if isinstance(node, nodes.Symbol):
        return symbol(node.text)
    if isinstance(node, nodes.Index):
        base, below, above = _scripts(node.base)
        return base, below + sign(",") * bool(below) + mathml(node.index), above
    return single(node), "", ""


def _power(node: nodes.Power) -> str:
    base, below, above = _scripts(node.base)
    return with_scripts(base, below, above + mathml(bare(node.exponent)))


def _function(node: nodes.Function) -> str:
    name, _, below = node.text.partition("_")
    return with_scripts(word(name), word(below) if below else "", "")


def _group(node: nodes.Group) -> str:
    inner = mathml(node.inner)
    stretchy = "true" if any(f"<{name}" in inner for name in TALL) else "false"
    return tag("mrow", sign(node.opening, form="prefix", stretchy=stretchy), inner,
               sign(node.closing, form="postfix", stretchy=stretchy))


def _big(node: nodes.Big) -> str:
    text = BIG[node.text]
    large = word(text) if text.isalpha() else sign(text)
    if node.index is not None:
        large = tag("munder", large, tag("mrow", mathml(node.index)))
    return large + (SPACE if text.isalpha() else "") + mathml(node.body)


def _cases(node: nodes.Cases) -> str:
    rows = [tag("mtr", tag("mtd", STRUT, mathml(value)), tag("mtd", mathml(condition)))
            for value, condition in node.rows]
    return tag("mrow", sign("{", form="prefix", stretchy="true"), tag("mtable", *rows, **{"class": "cases"}))


WRITERS: dict[type, Callable[..., str]] = {
    nodes.Number: lambda node: tag("mn", node.text),
    nodes.Symbol: lambda node: with_scripts(*symbol(node.text)),
    nodes.Function: _function,
    nodes.Text: _text,
    nodes.Operator: _operator,
    nodes.Space: lambda node: SPACE,
    nodes.Row: _row,
    nodes.Chain: _chain,
    nodes.Fraction: _fraction,
    nodes.Power: _power,
    nodes.Index: lambda node: with_scripts(*_scripts(node)),
    nodes.Root: lambda node: tag("msqrt", mathml(node.inner)),
    nodes.Group: _group,
    nodes.Big: _big,
    nodes.Cases: _cases,
}
