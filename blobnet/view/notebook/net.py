"""A net in a notebook: its drawing and its table."""

from __future__ import annotations

from google.protobuf.message import Message

from blobnet.core.net import Net
from blobnet.core.registry import declarations
from blobnet.log.html import framed, html_table, remark, title
from blobnet.view.draw.graph import net_graph
from blobnet.view.draw.picture import net_picture
from blobnet.view.draw.svg import svg
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
    shapes = {name: blob.shape for name, blob in net.blobs.items()}
    graph = net_graph(without_splits(net.definition), {net.phase: shapes})
    if not graph.boxes:
        return ""
    _, _, drawing = svg(net_picture(graph)).partition("\n")  # without the declaration of a file
    if len(drawing.encode()) > most:
        return remark("too large a drawing for a notebook: blobnet draw_net writes it into a file")
    return f'<div class="bn-wide" tabindex="0" role="region" aria-label="drawing of the net">{drawing}</div>'


def without_splits(definition: Message) -> Message:
    """A copy without the Split layers; who reads a top of one reads the blob that it splits."""
    net = type(definition)()
    net.CopyFrom(definition)
    net.ClearField("layer")
    split: dict[str, str] = {}
    for layer in definition.layer:
        if declarations(layer).is_split and len(layer.bottom) == 1:
            split.update(dict.fromkeys(layer.top, split.get(layer.bottom[0], layer.bottom[0])))
            continue
        copy = net.layer.add()
        copy.CopyFrom(layer)
        copy.bottom[:] = [split.get(name, name) for name in layer.bottom]
    return net
