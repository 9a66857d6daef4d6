"""Tables whose cells say a number and show it, and bars with a number each."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from blobnet.log.html import words

DARK = 0.55  # shares from here on are written in the other ink


def heat_table(corner: str, columns: Sequence[str], rows: Sequence[Sequence[str]], shares: np.ndarray) -> str:
    """A table of shares (R, C), 0 … 1, each as a number and as a wash of colour.

    columns: the heads of all columns but the first, whose head is `corner`: those of facts and the C of the shares;
    rows: the name of each row and its facts. A cell where row and column have one name has a frame.
    """
    facts = len(columns) - shares.shape[1]
    heads = "".join(f'<th scope="col">{words(head)}</th>' for head in columns)
    lines = []
    for (name, *more), line in zip(rows, shares):
        cells = "".join(f"<td>{words(fact)}</td>" for fact in more)
        cells += "".join(_cell(float(share), name, column) for share, column in zip(line, columns[facts:]))
        lines.append(f'<tr><th scope="row" class="bn-left">{words(name)}</th>{cells}</tr>')
    return (f'<div class="bn-wide" tabindex="0"><table class="heat"><thead><tr><th scope="col" class="bn-left">'
            f'{words(corner)}</th>{heads}</tr></thead><tbody>{"".join(lines)}</tbody></table></div>')


def _cell(share: float, row: str, column: str) -> str:
    looks = " ".join(["own"] * (row == column) + ["dark"] * (share >= DARK))
    return (f'<td class="{looks}" style="background: rgba(var(--heat), {share:.2f})" '
            f'title="{words(row)}, {words(column)}: {share:.4f}">{share:.2f}</td>')


WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 480, 200, 40, 22, 8


def share_bars(shares: np.ndarray, label: str, line: float) -> str:
    """An SVG element with a bar for each of the `shares` (n,), 0 … 1, each with its number as a title, and a `line`.

    label: what readers who do not see it are told, and what each bar is called before its number.
    """
    step, height = (WIDTH - LEFT) / len(shares), HEIGHT - BOTTOM - TOP
    bars = "".join(f'<rect x="{LEFT + i * step:.2f}" y="{TOP + height * (1 - share):.1f}" width="{step * 0.86:.2f}" '
                   f'height="{height * share:.1f}"><title>{words(label)} {i}: {share:.4f}</title></rect>'
                   for i, share in enumerate(shares.tolist()))
    ticks = "".join(f'<text x="{LEFT - 6}" y="{TOP + height * (1 - value) + 4:.1f}" text-anchor="end">{value:g}</text>'
                    for value in sorted({0.0, line, 1.0}))
    every = -(-len(shares) // 12)
    ticks += "".join(f'<text x="{LEFT + (i + 0.43) * step:.1f}" y="{HEIGHT - 6}" text-anchor="middle">{i}</text>'
                     for i in range(0, len(shares), every))
    said = f"{label}: from {shares.min():.2f} to {shares.max():.2f}"
    return (f'<svg class="bn-chart" xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{words(said)}" '
            f'width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}" font-size="12" fill="currentColor">'
            f'<g fill="#4c8fc4">{bars}</g>{ticks}<path d="M{LEFT} {TOP + height * (1 - line):.1f}H{WIDTH}" '
            f'stroke="currentColor" stroke-dasharray="4 3"/></svg>')
