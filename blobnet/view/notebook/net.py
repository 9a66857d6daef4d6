"""A net in a notebook: its drawing and its table."""

from __future__ import annotations

from blobnet.core.net import Net
from blobnet.log.html import framed, html_table, remark, title
from blobnet.view.draw import page_svg
from blobnet.view.notebook.by_class import html
from blobnet.view.summary import LEFT, summary_rows, total_lines

LARGEST = 195_000  # bytes, of all together
ROWS = 300


@html.register
def net_html(net: Net) -> str:
    """The line of the net, its drawing, its table, and what it adds up to. What is too large is left out, and said."""
    rows = summary_rows(net)
    more = [remark(f"and {len(rows) - ROWS:,} more rows")] if len(rows) > ROWS else []
    parts = [html_table(rows[:ROWS], LEFT), *more, *map(remark, total_lines(net))]
    return framed(title(repr(net)), _drawing(net, LARGEST - sum(map(len, map(str.encode, parts)))), *parts)


def _drawing(net: Net, most: int) -> str:
    """The drawing, if it has at most `most` bytes."""
    if not net.layers:
        return ""
    drawn = page_svg.page_svg(net)
    if len(drawn.svg.encode()) > most:
        return remark("too large a drawing for a notebook: blobnet draw_net writes it into a file")
    return (f'<style>{page_svg.style()}</style><div class="bn-wide" tabindex="0" role="region" '
            f'aria-label="drawing of the net"><div style="width: {drawn.width:.0f}px">{drawn.svg}</div></div>')
