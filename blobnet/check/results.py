"""What checks found, and how it is printed."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TextIO

from blobnet.log.colour import painted
from blobnet.log.html import framed, html_table, title
from blobnet.log.table import table

PUBLISHED = "published gradient; EXACT checked"
PLAIN = "plain"
HEADER = ("layer", "type", "blob", "kind", "checked", "skipped", "worst error", "forward", "result")
LEFT = (0, 1, 2, 3, len(HEADER) - 1)  # columns that hold words
LOOKS = {"FAIL": "bad", "ok": "good", "published": "note", "skipped": ""}


@dataclasses.dataclass(frozen=True)
class ForwardResult:
    """How the tops of a layer compare with the formula of its page.

    error: the largest difference, relative to the largest number of its top, or None if nothing was compared;
    note: where the first wrong number stands; if nothing was compared why, or PLAIN where forward is its own formula.
    """

    error: float | None
    passed: bool = True
    note: str = ""

    def __str__(self) -> str:
        return ("FAIL" if not self.passed else PLAIN if self.note == PLAIN else "-" if self.error is None
                else f"{self.error:.1e}")


@dataclasses.dataclass(frozen=True)
class GradientResult:
    """What the check of one blob's gradient found.

    kind: "bottom" or "param", or "top" for a layer whose forward is wrong, or has nothing else to check;
    checked: elements, or random directions, whose difference was compared; skipped: those at a kink;
    worst_relative_error: of those checked; note: where it is wrong, and what else a reader should know;
    forward: the layer's, in its first result, else None.
    """

    layer: str
    type: str
    blob: str
    kind: str
    checked: int
    skipped: int
    worst_relative_error: float
    passed: bool
    note: str = ""
    forward: ForwardResult | None = None


class GradientResults(list[GradientResult]):
    """The results of a check, in the order of the layers: printed as their table, shown in colours by a notebook."""

    def __str__(self) -> str:
        return format_table(self)

    def _repr_html_(self) -> str:
        found = [_word(result) for result in self]
        counts = ", ".join(f"{found.count(word):,} {word}" for word in LOOKS if word in found)
        return framed(title(f"Gradients: {counts or 'none'}"),
                      html_table(_rows(self), LEFT, [LOOKS[word] for word in found]))


def format_table(results: Sequence[GradientResult], stream: TextIO | None = None) -> str:
    """The results as lines of text, in colours if they go to a `stream` that wants some.

    The column forward has the error of the layer's forward against its formula, plain if it needs none, - if it was not
    compared, or FAIL; the last column says ok, FAIL, published or skipped, and the note.
    """
    head, *lines = table(_rows(results), LEFT).splitlines()
    for i, result in enumerate(results):
        verdict, look = _verdict(result), LOOKS[_word(result)]
        if look:
            lines[i] = lines[i].removesuffix(verdict) + painted(verdict, look, stream)
    return "\n".join([painted(head, "heading", stream), *lines])


def _rows(results: Sequence[GradientResult]) -> list[tuple[str, ...]]:
    return [HEADER, *((r.layer, r.type, r.blob, r.kind, str(r.checked), str(r.skipped), f"{r.worst_relative_error:.1e}",
                       str(r.forward or ""), _verdict(r)) for r in results)]


def _verdict(result: GradientResult) -> str:
    word = _word(result)
    return f"{word} ({result.note})" if result.note else word


def _word(result: GradientResult) -> str:
    return ("FAIL" if not result.passed else "published" if PUBLISHED in result.note
            else "ok" if result.checked else "skipped")
