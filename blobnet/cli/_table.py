"""Tables of text, as commands show them on a terminal."""

from __future__ import annotations

from collections.abc import Sequence


def table(rows: Sequence[Sequence[str]]) -> str:
    """`rows` in columns, the first of them the heads: the first column to the left, the others to the right.

    >>> print(table([("layer", "ms"), ("conv1", "1.5"), ("ip", "20")]))
    layer   ms
    conv1  1.5
    ip      20
    """
    first, *others = [max(map(len, column)) for column in zip(*rows)]
    lines = [[row[0].ljust(first), *(cell.rjust(width) for cell, width in zip(row[1:], others))] for row in rows]
    return "\n".join("  ".join(line).rstrip() for line in lines)
