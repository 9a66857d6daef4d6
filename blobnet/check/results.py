"""What checks found, and how it is printed."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from blobnet.log.table import table

PUBLISHED = "published gradient; EXACT checked"
PLAIN = "plain"


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


def format_table(results: Sequence[GradientResult]) -> str:
    """The results as lines of text.

    The column forward has the error of the layer's forward against its formula, plain if it needs none, - if it was not
    compared, or FAIL; the last column says ok, FAIL, published or skipped, and the note.
    """
    head = ("layer", "type", "blob", "kind", "checked", "skipped", "worst error", "forward", "result")
    rows = [head] + [(r.layer, r.type, r.blob, r.kind, str(r.checked), str(r.skipped), f"{r.worst_relative_error:.1e}",
                      str(r.forward or ""), _verdict(r)) for r in results]
    return table(rows, left=(0, 1, 2, 3, len(head) - 1))


def _verdict(result: GradientResult) -> str:
    word = ("FAIL" if not result.passed else "published" if PUBLISHED in result.note
            else "ok" if result.checked else "skipped")
    return f"{word} ({result.note})" if result.note else word
