"""Pieces of Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

SPECIAL = re.compile(r"[\\*_<>\[\]|#$~{}^]")


def plain(text: str) -> str:
    """Text of a docstring or a help on one line: it means itself, and what stands between backquotes is code."""
    pieces = re.split(r"(`[^`]+`)", " ".join(text.split()))
    return "".join(piece.replace("|", r"\|") if piece[:1] == "`" and len(piece) > 1 else SPECIAL.sub(r"\\\g<0>", piece)
                   for piece in pieces)


def paragraphs(text: str, indent: str = "") -> str:
    """Text of a docstring, paragraph by paragraph; those after the first are set in."""
    return f"\n\n{indent}".join(map(plain, filter(str.strip, text.split("\n\n"))))


def code(text: object) -> str:
    """`text` as code, in a table too; "" for none."""
    return f"`{text}`".replace("|", r"\|") if text != "" else ""


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table, whose cells are Markdown; on a narrow screen a row becomes a few lines."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(["{.reference}", *(f"| {' | '.join(line)} |" for line in lines)]) + "\n"


def block(kind: str, text: str, *options: str) -> str:
    """A fenced block: of code, or a directive such as "{formulas}" with its options."""
    fence = "`" * max(3, *(len(run) + 1 for run in re.findall(r"^`{3,}", text, re.MULTILINE)), 0)
    return "\n".join([fence + kind, *options, text.rstrip("\n"), fence]) + "\n"


def toctree(names: Iterable[str], *options: str) -> str:
    """The pages of these names below this one."""
    return block("{toctree}", "\n" + "\n".join(names), *options)


def page(title: str, *parts: str) -> str:
    """A page: its title and its parts, with lines between them."""
    return "\n\n".join(part.strip("\n") for part in (f"# {title}", *parts) if part) + "\n"
