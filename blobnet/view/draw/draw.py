"""Drawing a net into a file, in the format that its name asks for."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from google.protobuf.message import Message

from blobnet.core.net import Net
from blobnet.core.without_data import without_data
from blobnet.errors import BlobnetError, NetError, close_matches
from blobnet.netdef.load import load
from blobnet.netdef.upgrade import upgrade_net
from blobnet.proto.files import read_message
from blobnet.proto.storage import atomic_write
from blobnet.view.draw.graph import PHASES, net_graph
from blobnet.view.draw.picture import net_picture
from blobnet.view.draw.raster import write_raster
from blobnet.view.draw.svg import svg
from blobnet.view.draw.text import dot, mermaid

TEXTS = {".dot": dot, ".gv": dot, ".raw": dot, ".mmd": mermaid, ".mermaid": mermaid}
RANKDIRS = ("LR", "RL", "TB", "BT")
Shapes = Mapping[str, tuple[int, ...]]


def draw_net(source: str | os.PathLike | Message, path: str | os.PathLike, rankdir: str = "LR",
             phases: Iterable[int] = PHASES, display_lrm: bool = False, shapes: Shapes | None = None,
             python_layers: bool = False) -> str:
    """Draw the net `source`, a file or a NetParameter, into `path`. Returns a note for the reader, or "".

    The suffix of `path` names the format: .svg; .dot, .gv or .raw (Graphviz); .mmd or .mermaid; any other through
    Matplotlib (.png, .pdf …). `rankdir` is where the data flows: LR, RL, TB or BT; `phases` are 0 (TRAIN), 1 (TEST)
    or both; `display_lrm` shows learning rate multipliers. To learn the shapes of its blobs the net is built without
    its data: `shapes` gives those of tops of data layers, `python_layers` is as for Net. If that fails the net is drawn
    without shapes, and the note says why.
    Raises BlobnetError for a net that cannot be read and a format that cannot be written.
    """
    if rankdir not in RANKDIRS:
        raise BlobnetError("rankdir", expected=" or ".join(RANKDIRS), got=repr(rankdir))
    origin = "net" if isinstance(source, Message) else os.fspath(source)
    net = upgrade_net(source if isinstance(source, Message) else read_message(source, "NetParameter"), origin)
    known, note = blob_shapes(net, tuple(phases), shapes or {}, origin, python_layers)
    graph, suffix = net_graph(net, known), Path(path).suffix.lower()
    if not graph.boxes:
        raise NetError(origin, "no layer to draw")
    if suffix in TEXTS or suffix == ".svg":
        make = TEXTS.get(suffix) or (lambda *arguments: svg(net_picture(*arguments)))
        with atomic_write(path) as file:
            file.write(make(graph, rankdir, display_lrm).encode())
        return note
    scale = write_raster(net_picture(graph, rankdir, display_lrm), path, [suffix[1:] for suffix in TEXTS])
    if scale < 1:
        note = "\n".join(filter(None, [note, f"too large for dots: scaled by {scale:.2g}; .svg keeps every detail"]))
    return note


def blob_shapes(net: Message, phases: Iterable[int], given: Shapes, origin: str,
                python_layers: bool = False) -> tuple[dict[int, Shapes], str]:
    """The shapes of the blobs of `net` for each phase, and a note. A phase in which the net cannot be built has no
    shapes, and the note says why.

    `given` are the shapes of tops of layers without bottoms; NetError for one that no such layer makes.
    """
    tops = {top for layer in net.layer if not layer.bottom for top in layer.top}
    for name in given:
        if name not in tops:
            raise NetError(f"shape of {name!r}", "no data layer has this top", hint=close_matches(name, tops))
    note = ""
    found: dict[int, Mapping[str, tuple[int, ...]]] = {}
    for phase in phases:
        try:
            definition = load(net, phase, origin=origin)
            mine = {top for layer in definition.layer if not layer.bottom for top in layer.top} & set(given)
            definition = without_data(definition, {name: given[name] for name in mine})
            built = Net(definition, phase, origin=origin, python_layers=python_layers, fillers=False)
            found[phase] = {name: blob.shape for name, blob in built.blobs.items()}
        except BlobnetError as error:
            found[phase], note = {}, f"shapes left out: {error}"
    return found, note
