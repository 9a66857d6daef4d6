"""Relations, and values that depend on a condition."""

from __future__ import annotations

from blobnet.view.mathematics.functions import Functions
from blobnet.view.mathematics.names import parts as parts_of
from blobnet.view.mathematics.nodes import Cases, Index, Node, Operator, Part, Row, Symbol, Text, chain, row
from blobnet.view.mathematics.tokens import END, closing

RELATIONS = {"=", "+=", "-=", "<=", ">=", "!=", "==", "<", ">", "->", "<-"}
CONDITIONS = {"if", "where", "with", "in", "while", "when", "of", "for"}  # the words that a condition may begin with
ENDS = {",", ";", "."}


def is_gradient(node: Node) -> bool:
    """Whether it is the gradient of something: dx, dweight[k, c]."""
    base = node.base if isinstance(node, Index) else node
    return isinstance(base, Symbol) and parts_of(base.text).differential


class Relations(Functions):
    """Reads a = b <= c, and the cases on its right side."""

    gradients = 0  # how many gradients without a condition of their own were read

    def relation(self) -> Node:
        """Sums with relations between them; a sum without any is a sum.

        A condition behind several gradients, "da = …, db = … where h > 0, else 0", is that of all: it stays text.
        """
        parts: list[Part] = []
        while not parts or self.is_relation() or self.is_range():
            start, sign = self.next.start, Operator(self.take().text, "infix") if parts else None
            if sign and self.words_follow():
                parts.append(Part(Operator(sign.text, "last"), Row(), start, self.end))
                break
            value = self.sum()
            gradient = bool(parts) and is_gradient(parts[0].node)
            node = value if gradient and self.gradients else self.cases(value)
            self.gradients += gradient and not isinstance(node, Cases)
            parts.append(Part(sign, node, start, self.end))
        return chain(*parts)

    def is_relation(self) -> bool:
        return self.next.kind == "operator" and self.next.text in RELATIONS

    def is_range(self) -> bool:
        """Whether an ellipsis between two numbers or names is next, as in 1 ... K."""
        return self.next.kind == "ellipsis" and self.token(self.at + 1).kind in ("number", "symbol")

    def cases(self, value: Node) -> Node:
        """`value` with its condition and all other cases, if "else" or a second condition follows; or `value`."""
        begin, first = self.at, value
        rows: list[tuple[Node, Node]] = []
        while self.next.kind == "text" and self.next.text in CONDITIONS:
            last = self.condition_end(self.at)
            more = last + (self.token(last).text == ",")
            is_last = self.token(more).text != "else" and not (more > last and self.is_case(more))
            if is_last and not rows or self.token(more).text == "else" and self.is_text(more + 1):
                break
            rows.append((value, self.range(last)))
            if is_last:
                return Cases((*rows[:-1], (value, self.with_comma(rows[-1][1]))))
            is_else = self.token(more).text == "else"
            self.at = more + is_else
            value = self.sum()
            if is_else and self.next.text not in CONDITIONS:
                return Cases((*rows, (value, self.with_comma(Text("otherwise")))))
        self.at = begin
        return first

    def with_comma(self, condition: Node) -> Node:
        """The last condition, and the comma or the like behind it, which stands better there than behind the table."""
        return row(condition, Operator(self.take().text)) if self.next.kind == "punctuation" else condition

    def condition_end(self, number: int) -> int:
        """The number of the token that the condition at token `number` ends before."""
        while number < len(self.tokens):
            token = self.tokens[number]
            if token.text == "else" or token.kind == "punctuation" and token.text in ENDS:
                break
            number = self.behind(number)
        return number

    def is_case(self, number: int) -> bool:
        """Whether a value and then its condition begin at token `number`."""
        first = number
        while number < len(self.tokens):
            token = self.tokens[number]
            if token.kind == "text":
                return number > first and token.text in ("if", "where")
            if token.kind == "punctuation" or token.text in RELATIONS:
                return False
            number = self.behind(number)
        return False

    def behind(self, number: int) -> int:
        """The number of the next token outside of the brackets that may open at token `number`."""
        if self.tokens[number].kind == "open":
            return closing(self.tokens, number) + 1
        if self.is_angle(number):
            return next((last + 1 for last in range(number, len(self.tokens)) if self.tokens[last].text == ">"),
                        number + 1)
        return number + 1

    def is_text(self, number: int) -> bool:
        return self.token(number).kind in ("text", END.kind)
