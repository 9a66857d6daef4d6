"""Drawing a net into a file, in the format that its name asks for."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from google.protobuf.message import Message

from blobnet.errors import BlobnetError, NetError
from blobnet.netdef.upgrade import upgrade_net
from blobnet.proto.files import read_message
from blobnet.proto.storage import atomic_write
from blobnet.view.draw.built import Shapes, blob_shapes, built_nets
from blobnet.view.draw.fold import fold
from blobnet.view.draw.graph import PHASES, net_graph
from blobnet.view.draw.net_page import net_page
from blobnet.view.draw.picture import net_picture
from blobnet.view.draw.raster import write_raster
from blobnet.view.draw.svg import svg
from blobnet.view.draw.text import dot, mermaid

TEXTS = {".dot": dot, ".gv": dot, ".raw": dot, ".mmd": mermaid, ".mermaid": mermaid}
PAGES = (".html", ".htm")
RANKDIRS, PAGE_RANKDIRS = ("LR", "RL", "TB", "BT"), ("LR", "TB")
LONG = 100  # layers; pictures of more are folded


def draw_net(source: str | os.PathLike | Message, path: str | os.PathLike, rankdir: str | None = None,
             phases: Iterable[int] = PHASES, display_lrm: bool = False, shapes: Shapes | None = None,
             python_layers: bool = False, folded: bool | None = None) -> str:
    """Draw the net `source`, a file or a NetParameter, into `path`. Returns a note for the reader, or "".

    The suffix of `path` names the format: .html, a page with search, zoom and details; .svg; .dot, .gv or .raw
    (Graphviz); .mmd or .mermaid; any other through Matplotlib (.png, .pdf …). `rankdir` is where the data flows: LR,
    RL, TB or BT; None is TB for pages, which have LR and TB alone, and LR for all others. `phases` are 0 (TRAIN), 1
    (TEST) or both; `display_lrm` shows learning rate multipliers. `folded`: whether equal pieces in a row are drawn
    once, with their number, which a page unfolds again; None folds pages, and pictures of more than 100 layers. Texts
    for other programs have all layers.
    To learn the shapes of its blobs the net is built without its data: `shapes` gives those of tops of data layers,
    `python_layers` is as for Net. If that fails the net is drawn without shapes and not folded, and the note says why.
    Raises BlobnetError for a net that cannot be read and a format that cannot be written.
    """
    suffix = Path(path).suffix.lower()
    is_page, is_text = suffix in PAGES, suffix in TEXTS
    allowed = PAGE_RANKDIRS if is_page else RANKDIRS
    rankdir = rankdir or ("TB" if is_page else "LR")
    if rankdir not in allowed:
        raise BlobnetError("rankdir", expected=" or ".join(allowed), got=repr(rankdir))
    if folded and is_text:
        raise BlobnetError(os.fspath(path), expected="a page or a picture, which can be folded", got=suffix)
    origin = "net" if isinstance(source, Message) else os.fspath(source)
    net = upgrade_net(source if isinstance(source, Message) else read_message(source, "NetParameter"), origin)
    nets, note = built_nets(net, tuple(phases), shapes or {}, origin, python_layers)
    known = blob_shapes(nets)
    graph = net_graph(net, known)
    if not graph.boxes:
        raise NetError(origin, "no layer to draw")
    if not is_text and (is_page or len(net.layer) > LONG if folded is None else folded):
        graph = fold(graph, known)
        if not any(nets.values()):
            note += "\nnot folded: without shapes nobody knows which pieces of the net are equal"
    if is_page:
        text = net_page(graph, net, nets, rankdir, display_lrm)
    elif is_text:
        text = TEXTS[suffix](graph, rankdir, display_lrm)
    elif suffix == ".svg":
        text = svg(net_picture(graph, rankdir, display_lrm))
    else:
        scale = write_raster(net_picture(graph, rankdir, display_lrm), path, [name[1:] for name in (*TEXTS, *PAGES)])
        small = f"too large for dots: scaled by {scale:.2g}; .svg keeps every detail" if scale < 1 else ""
        return "\n".join(filter(None, [note, small]))
    with atomic_write(path) as file:
        file.write(text.encode())
    return note
