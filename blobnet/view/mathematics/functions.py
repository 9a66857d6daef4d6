"""Functions, sums and products: exp(x), log p, sqrt(x), sum_n, sum over c, r, s of."""

from __future__ import annotations

from blobnet.view.mathematics.expression import Expression
from blobnet.view.mathematics.names import BIG, function_name
from blobnet.view.mathematics.nodes import Big, Function, Group, Node, Root, Row, Space, Symbol, row
from blobnet.view.mathematics.tokens import Token

ROUNDED = {"floor": ("⌊", "⌋"), "ceil": ("⌈", "⌉")}


class Functions(Expression):
    """Reads what begins with the name of a function."""

    def range(self, last: int) -> Node:
        """What stands between here and token `last`, an index of a sum in words."""
        raise NotImplementedError

    def large(self, token: Token) -> Node:
        base = function_name(token.text)
        if base in BIG and (base in ("sum", "prod") or "_" in token.text):
            return self.big(base, token.text.partition("_")[2])
        if not self.next.gap and self.next.text == "(":
            inner = self.inside()
            if token.text == "sqrt":
                return Root(inner)
            if token.text in ROUNDED:
                opening, ending = ROUNDED[token.text]
                return Group(opening, inner, ending)
            return row(Function(token.text), Group("(", inner, ")"))
        return row(Function(token.text), Space(), self.factor())

    def big(self, base: str, letters: str) -> Node:
        """A sum, or its like, with the index that stands below it and what it runs over."""
        index: Node | None = Symbol("_" + letters) if letters else None
        if self.next.text == "{" and not self.next.gap:
            index = self.inside()
        elif self.next.text == "over" and (of := self.of()):
            self.take()
            index = self.range(of - (self.tokens[of - 1].text == ","))
            self.at = of + 1
        elif index is None and self.next.text == "(" and not self.next.gap:
            return Big(base, None, Group("(", self.inside(), ")"))
        return Big(base, index, Row() if self.words_follow() else self.term(summed=index is None))

    def of(self) -> int:
        """The number of the token "of" behind "over" and an index; 0 if there is none.

        It is the first one behind letters and commas alone, "over c, r, s of", or else the last one that has no word
        behind it, "over k of other classes of".
        """
        found, plain = 0, True
        for number in range(self.at + 1, len(self.tokens) - 1):
            token = self.tokens[number]
            if token.text == "of" and self.tokens[number + 1].kind != "text":
                found = number
                if plain:
                    break
            plain &= token.kind == "symbol" or token.text == ","
        return found
