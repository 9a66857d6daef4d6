"""Sums, products, fractions and powers: from tokens to nodes, by recursive descent."""

from __future__ import annotations

from blobnet.view.mathematics.atoms import Atoms
from blobnet.view.mathematics.names import function_name
from blobnet.view.mathematics.nodes import Fraction, Group, Node, Number, Operator, Part, Power, Row, Space, chain, row
from blobnet.view.mathematics.tokens import Token

SIGNS = {"+", "-", "-+", "+-"}
TIMES = {"*": "*", ".": "∙", "×": "×", "mod": "mod"}  # a point alone is the product of vectors or matrices


class Expression(Atoms):
    """Joins atoms. A subclass reads what begins with the name of a function."""

    def large(self, token: Token) -> Node:
        """What begins with the function `token`, which has just been read."""
        raise NotImplementedError

    def sum(self) -> Node:
        """Terms with signs between them."""
        parts: list[Part] = []
        while not parts or self.next.kind == "operator" and self.next.text in SIGNS:
            start, sign = self.next.start, None
            if self.next.text in SIGNS and self.next.kind == "operator":
                sign = Operator(self.take().text, "infix" if parts else "prefix")
            if sign and self.words_follow():
                parts.append(Part(Operator(sign.text, "last"), Row(), start, self.end))
                break
            node = self.term()
            parts.append(Part(sign, node, start, self.end))
        return chain(*parts)

    def term(self, summed: bool = False) -> Node:
        """Factors, with or without signs of multiplication and strokes of fractions between them.

        A stroke with spaces has everything before it above itself, one without the factors since the last sign. In
        what a sum runs over, `summed`, a stroke with another sum behind it ends the term: it divides the sums.
        """
        parts: list[Part] = []
        start, sign, factors = self.next.start, None, [self.factor()]
        while True:
            token = self.next
            if token.kind == "operator" and token.text in TIMES:
                parts.append(Part(sign, row(*factors), start, self.end))
                start, sign = token.start, self.sign()
                factors = [] if self.words_follow() else [self.factor()]
            elif token.kind == "operator" and token.text in ("/", "//") and not (summed and self.sum_follows()):
                if token.gap and parts:
                    factors = [chain(*parts, Part(sign, row(*factors), start, self.end))]
                    start, sign, parts = parts[0].start, None, []
                factors = [self.fraction(factors)]
            elif self.juxtaposed(token):
                factors += [Space()] * bool(token.gap) + [self.factor()]
            else:
                return chain(*parts, Part(sign, row(*factors), start, self.end))

    def sign(self) -> Operator:
        """The sign of multiplication at `at`."""
        text = TIMES[self.take().text]
        return Operator(text, "last" if self.words_follow() else "infix")

    def fraction(self, above: list[Node]) -> Node:
        """`above` over the factor behind the stroke at `at`; a / b / c has b and c below."""
        stroke = self.take().text
        if self.words_follow():
            return row(*above, Operator(stroke, "last"))
        top, bottom = row(*above), self.factor()
        if stroke == "//":
            return Group("⌊", Fraction(top, bottom), "⌋")
        if isinstance(top, Fraction):
            return Fraction(top.top, row(top.bottom, Space(), bottom))
        return Fraction(top, bottom)

    def juxtaposed(self, token: Token) -> bool:
        """Whether another factor begins here, without a sign before it."""
        if token.kind == "bar":
            return token.text not in self.strokes
        if token.text == "(" and token.gap and self.is_remark():
            return False
        return token.kind in ("number", "symbol", "function") or token.text in ("(", "[") or self.is_angle(self.at)

    def factor(self) -> Node:
        """An atom with its indices, its arguments and its exponent."""
        self.deeper()
        token = self.next
        if token.kind == "operator" and token.text in SIGNS:
            node = row(Operator(self.take().text, "prefix"), self.factor())
        else:
            node = self.raised(self.large(self.take()) if token.kind == "function" else self.indexed(self.atom()))
        self.depth -= 1
        return node

    def raised(self, base: Node) -> Node:
        """`base` with the exponent that may follow."""
        if self.next.kind == "squared":
            self.take()
            return Power(base, Number("2"))
        if self.next.kind == "operator" and self.next.text in ("^", "**"):
            self.take()
            return Power(base, self.factor())
        return base

    def sum_follows(self) -> bool:
        after = self.token(self.at + 1)
        return after.kind == "function" and function_name(after.text) == "sum"
