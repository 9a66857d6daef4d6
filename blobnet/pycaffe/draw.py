"""caffe.draw: pictures of a NetParameter, drawn by blobnet itself; neither pydot nor Graphviz is needed.

The pictures look unlike pycaffe's: a layer and those in place after it share a box, blobs stand on the lines. Formats
are those of `blobnet.view.draw.draw_net`: svg, png, pdf, dot, raw, mmd …
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from google.protobuf.message import Message

from blobnet.errors import NetError
from blobnet.proto.messages import convert
from blobnet.view.draw import draw_net as draw
from blobnet.view.draw.graph import PHASES

LEARNING = ("Convolution", "Deconvolution", "InnerProduct")


class Drawing:
    """What scripts take for pydot's graph: `create` gives the picture, `write` makes a file, `to_string` gives DOT."""

    def __init__(self, net: Message, rankdir: str, phase: int | None, display_lrm: bool):
        self._arguments = convert(net), rankdir, phase, display_lrm

    def create(self, prog: str | None = None, format: str = "png") -> bytes:
        """The bytes of the picture; `prog`, the Graphviz program, does nothing."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"net.{format}"
            self.write(path)
            return path.read_bytes()

    def write(self, path) -> bool:
        """Write the picture in the format of the suffix; True, as pydot says."""
        net, rankdir, phase, display_lrm = self._arguments
        draw(net, path, rankdir, PHASES if phase is None else (phase,), display_lrm)
        return True

    def to_string(self) -> str:
        """The graph in the DOT language."""
        return self.create(format="dot").decode()


def get_pydot_graph(caffe_net: Message, rankdir: str, label_edges: bool = True, phase: int | None = None,
                    display_lrm: bool = False) -> Drawing:
    """A drawing of the net, in one phase or in both; `label_edges` does nothing, blobs always have their shapes."""
    return Drawing(caffe_net, rankdir, phase, display_lrm)


def draw_net(caffe_net: Message, rankdir: str, ext: str = "png", phase: int | None = None,
             display_lrm: bool = False) -> bytes:
    """The picture of the net in the format `ext`. The data flows to `rankdir`: LR, RL, TB or BT.

    `phase` is TRAIN, TEST, or None for both; `display_lrm` shows learning rate multipliers.
    """
    return get_pydot_graph(caffe_net, rankdir, phase=phase, display_lrm=display_lrm).create(format=ext)


def draw_net_to_file(caffe_net: Message, filename: str, rankdir: str = "LR", phase: int | None = None,
                     display_lrm: bool = False) -> None:
    """Write the picture of `draw_net` to a file, in the format of its suffix."""
    get_pydot_graph(caffe_net, rankdir, phase=phase, display_lrm=display_lrm).write(filename)


def get_layer_lr_mult(layer: Message) -> tuple[float, float]:
    """The learning rate multipliers of the weights and the bias of a layer of a type in LEARNING."""
    if layer.type not in LEARNING:
        raise NetError(f"layer {layer.name!r}", expected=" or ".join(LEARNING), got=layer.type)
    given = [spec.lr_mult for spec in layer.param][:2]
    return (*given, *[1.0] * (2 - len(given)))
