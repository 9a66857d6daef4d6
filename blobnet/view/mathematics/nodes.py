"""What a formula is made of, once it is read."""

from __future__ import annotations

from dataclasses import dataclass


class Node:
    """A piece of a formula."""


@dataclass(frozen=True)
class Number(Node):
    """A number as it is written: 0.5, 1e-6."""

    text: str


@dataclass(frozen=True)
class Symbol(Node):
    """A name of one letter or of several: x, dslope, u_nk, h'_ijk, w+, step_size."""

    text: str


@dataclass(frozen=True)
class Function(Node):
    """The name of a known function, which may have a base: exp, log_B."""

    text: str


@dataclass(frozen=True)
class Text(Node):
    """Words inside of a formula; no-break spaces at the ends keep them apart from their neighbours."""

    text: str


@dataclass(frozen=True)
class Operator(Node):
    """A sign as it is written: `<=`, `*`, a comma.

    `form` says where it stands: before a number (prefix), between two (infix), or before words (last).
    """

    text: str
    form: str = "infix"


@dataclass(frozen=True)
class Space(Node):
    """The thin space between the factors of a product without a sign."""


@dataclass(frozen=True)
class Row(Node):
    """Pieces side by side."""

    items: tuple[Node, ...] = ()


@dataclass(frozen=True)
class Part:
    """A piece of a chain: the operator before it, if any, what follows, and where both stand in the source."""

    operator: Operator | None
    node: Node
    start: int
    end: int


@dataclass(frozen=True)
class Chain(Node):
    """a + b - c, a * b, or a = b = c: where a long formula may be broken, before any operator."""

    parts: tuple[Part, ...]


@dataclass(frozen=True)
class Fraction(Node):
    top: Node
    bottom: Node


@dataclass(frozen=True)
class Power(Node):
    base: Node
    exponent: Node


@dataclass(frozen=True)
class Index(Node):
    """y[n, k] and c_{y_n}: a base with what stands below it."""

    base: Node
    index: Node


@dataclass(frozen=True)
class Root(Node):
    inner: Node


@dataclass(frozen=True)
class Group(Node):
    """Something between two brackets of any kind, as they are written."""

    opening: str
    inner: Node
    closing: str


@dataclass(frozen=True)
class Big(Node):
    """A sum, product, maximum or minimum over an index, if one is given, and what it runs over."""

    text: str
    index: Node | None
    body: Node


@dataclass(frozen=True)
class Cases(Node):
    """Values and their conditions, one below the other."""

    rows: tuple[tuple[Node, Node], ...]


def row(*items: Node) -> Node:
    """The items side by side; a single one stays what it is."""
    return items[0] if len(items) == 1 else Row(items)


def chain(*parts: Part) -> Node:
    """The parts as a chain; a single one without an operator is what it holds."""
    return parts[0].node if len(parts) == 1 and not parts[0].operator else Chain(parts)
