"""A block of formulas and sentences as HTML."""

from __future__ import annotations

from collections.abc import Sequence

from blobnet.view.mathematics.elements import tag
from blobnet.view.mathematics.inline import markup
from blobnet.view.mathematics.lines import Line, label_end, lines_of
from blobnet.view.mathematics.reading import read_line
from blobnet.view.mathematics.statement import Item


def formula_html(text: str) -> str:
    """The formulas of a docstring, `text`, as HTML with MathML: a block with a line for each formula and sentence.

    `text` is what stands between the line of purpose and "Bottoms:": formulas, words between them, sentences, on lines
    that may go on. What is no formula stays as it is; a formula that cannot be read is shown as it is written, in
    an element of the class "plain". Each <math> has the text it was made from as its aria-label.
    """
    return tag("div", *("\n" + _line(line) for line in lines_of(text)), "\n", **{"class": "formulas"})


def _line(line: Line) -> str:
    kinds = ["formula" if line.formula else "sentence", *["inset"] * line.inset, *["first"] * line.first]
    pieces = [tag("span", *_piece(items, line), **{"class": "piece"}) for items in read_line(line.text)]
    return tag("div" if line.formula else "p", " ".join(pieces), **{"class": " ".join(kinds)})


def _piece(items: Sequence[Item], line: Line) -> list[str]:
    """The markup of a piece, its label apart."""
    written = markup(items, line.text, line.formula)
    start = items[0].start
    label = start + label_end(line.text[start:]) if line.formula else 0
    count = sum(item.end <= label for item in items)
    return [tag("span", *written[:count], **{"class": "label"})] * bool(count) + written[count:]
