"""The page of a drawing: one file of HTML with search, zoom, blocks that unfold, and what there is to say of layers."""

from __future__ import annotations

import json
from pathlib import Path

from google.protobuf.message import Message

from blobnet.log.html import clean, words
from blobnet.view.draw.colours import FAMILIES
from blobnet.view.draw.details import Nets, layer_details, net_lines, shapes_of
from blobnet.view.draw.fold import layer_numbers
from blobnet.view.draw.graph import Graph
from blobnet.view.draw.net_page_script import SCRIPT
from blobnet.view.draw.page_svg import Look, graph_svg, style
from blobnet.view.draw.parts import net_parts
from blobnet.view.draw.zoom_script import SCRIPT as ZOOM
from blobnet.view.summary import shape_text
from blobnet.view.web.frame import page

CONTROLS = """\
<form class="tools" id="tools" role="search" hidden>
<span><input type="search" id="search" placeholder="layer, type or blob" aria-label="Find layers and blobs">
<button type="submit" id="next" aria-label="next that is found">›</button>
<output id="count" class="soft" aria-live="polite"></output></span>
<span role="group" aria-label="Zoom"><button type="button" id="smaller" aria-label="smaller">−</button>
<button type="button" id="larger" aria-label="larger">+</button>
<button type="button" id="fit" aria-label="fit into the window">fit</button></span>
<button type="button" id="unfold" hidden>unfold all</button>
<span class="soft keys"><kbd>+</kbd> <kbd>−</kbd> <kbd>0</kbd>, <kbd>Ctrl</kbd> and wheel: zoom;
<kbd>/</kbd> search</span>
</form>"""
DETAILS = """\
<aside id="details" aria-label="What is chosen" aria-live="polite" hidden>
<button type="button" id="close" aria-label="close">×</button><div id="details-text"></div></aside>"""


def net_page(graph: Graph, net: Message, nets: Nets, rankdir: str = "TB", display_lrm: bool = False) -> str:
    """The HTML of `graph`, folded or not, whose data flows from top to bottom (TB) or from left to right (LR).

    `net` is what the graph was made of, `nets` what was built of it, by phase, for shapes and counts.
    """
    details, shapes = layer_details(net, nets), shapes_of(nets)
    look = Look(range(len(net.layer)), shapes, {}, gradients=False)
    drawn = graph_svg(graph, net_parts(graph, rankdir, display_lrm, unfolding=True), look)
    data = {"layers": details, "shapes": {clean(name): shape_text(shape) for name, shape in shapes.items()},
            "upright": rankdir == "TB"}
    text = json.dumps(data, separators=(",", ":")).replace("<", "\\u003c")
    numbers = layer_numbers(graph)
    count = f"{len(numbers):,} layers" if len(numbers) > 1 else "1 layer"
    title = graph.name or "net"
    head = "<br>".join([count, *map(words, net_lines(nets))])
    shown = {details[number]["family"] for number in numbers}
    legend = "".join(f'<li><svg class="net-drawing" aria-hidden="true"><rect width="12" height="12" '
                     f'class="family-{name}"/></svg>{name}</li>' for name in FAMILIES if name in shown)
    return page(title, f"<style>{style()}{Path(__file__).with_suffix('.css').read_text('utf-8')}</style>",
                f'<header><h1>{words(title)}</h1><p class="soft">{head}</p></header>', CONTROLS,
                f'<main><div id="drawing" tabindex="0" role="region" aria-label="Drawing of the net">{drawn.svg}</div>',
                DETAILS, "</main>", f'<ul class="legend" aria-label="Families of layer types">{legend}</ul>',
                f'<script type="application/json" id="net-data">{text}</script>', script=ZOOM + SCRIPT)
