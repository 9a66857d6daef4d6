"""Tables of text."""

from __future__ import annotations

from collections.abc import Collection, Sequence


def table(rows: Sequence[Sequence[str]], left: Collection[int] = (0,)) -> str:
    """`rows` in columns, the first of them the heads: the columns `left` to the left, the others to the right.

    >>> print(table([("layer", "ms"), ("conv1", "1.5"), ("ip", "20")]))
    layer   ms
    conv1  1.5
    ip      20
    """
    widths = [max(map(len, column)) for column in zip(*rows)]
    return "\n".join("  ".join(cell.ljust(width) if i in left else cell.rjust(width)
                               for i, (cell, width) in enumerate(zip(row, widths))).rstrip() for row in rows)
