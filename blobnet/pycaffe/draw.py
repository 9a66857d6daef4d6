"""caffe.draw: pictures of a NetParameter, drawn by blobnet itself; neither pydot nor Graphviz is needed.

The pictures look unlike pycaffe's: a layer and those in place after it share a box, blobs stand on the lines. Formats
are those of `blobnet.view.draw.draw_net`: svg, png, pdf, dot, raw, mmd …
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from google.protobuf.message import Message

from blobnet.core.registry import LAYERS, declarations
from blobnet.errors import NetError
from blobnet.proto.messages import convert, message_class
from blobnet.pycaffe.proto import caffe_pb2
from blobnet.view.draw import draw_net as draw
from blobnet.view.draw.graph import PHASES

__all__ = ["BLOB_STYLE", "LAYER_STYLE_DEFAULT", "NEURON_LAYER_STYLE", "Drawing", "caffe_pb2",
           "choose_color_by_layertype", "draw_net", "draw_net_to_file", "get_edge_label", "get_layer_label",
           "get_layer_lr_mult", "get_pooling_types_dict", "get_pydot_graph"]


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
    """The learning rate multipliers of the weights and the bias of a layer whose type shows them."""
    if not declarations(layer).shows_rates:
        showing = [name for name, cls in LAYERS.items() if cls.shows_rates]
        raise NetError(f"layer {layer.name!r}", expected=" or ".join(showing), got=layer.type)
    given = [spec.lr_mult for spec in layer.param][:2]
    return (*given, *[1.0] * (2 - len(given)))


# What the parts of pycaffe's own pictures say and how they look, for scripts that draw their own.

LAYER_STYLE_DEFAULT = {"shape": "record", "fillcolor": "#6495ED", "style": "filled"}
NEURON_LAYER_STYLE = {"shape": "record", "fillcolor": "#90EE90", "style": "filled"}  # of layers that work in place
BLOB_STYLE = {"shape": "octagon", "fillcolor": "#E0E0E0", "style": "filled"}


def get_pooling_types_dict() -> dict[int, str]:
    """The names of the pooling methods by their numbers."""
    methods = message_class("PoolingParameter").DESCRIPTOR.enum_types_by_name["PoolMethod"]
    return {value.number: value.name for value in reversed(methods.values)}  # the first of names for one number


def get_edge_label(layer: Message) -> str:
    """The batch size of a Data layer, num_output of a Convolution, Deconvolution or InnerProduct layer, else two
    quotation marks."""
    if layer.type == "Data":  # as in pycaffe, which shows that of no other data layer
        return f"Batch {layer.data_param.batch_size}"
    cls = declarations(layer)
    if cls.shows_rates:
        return str(getattr(layer, cls.options_field).num_output)
    return '""'


def get_layer_label(layer: Message, rankdir: str, display_lrm: bool = False) -> str:
    """Name, type, and how the kernel slides, in quotation marks; with spaces between them where `rankdir` is TB or BT,
    else with \\n. `display_lrm` adds the learning rate multipliers.
    """
    between = " " if rankdir in ("TB", "BT") else r"\n"
    kind = f" {get_pooling_types_dict()[layer.pooling_param.pool]}" if layer.type == "Pooling" else ""
    parts = [layer.name, f"({layer.type}{kind})"]
    if layer.type in ("Convolution", "Deconvolution", "Pooling"):
        if layer.type == "Pooling":
            options = layer.pooling_param
            sizes = [options.kernel_size, options.stride, options.pad]
        else:
            options = layer.convolution_param
            given = (options.kernel_size, 1), (options.stride, 1), (options.pad, 0)
            sizes = [values[0] if values else default for values, default in given]
        parts += map("{}: {}".format, ("kernel size", "stride", "pad"), sizes)
    if display_lrm and declarations(layer).shows_rates and any(get_layer_lr_mult(layer)):
        parts.append("lr mult: {:.1f}, {:.1f}".format(*get_layer_lr_mult(layer)))
    return f'"{between.join(parts)}"'


def choose_color_by_layertype(layertype: str) -> str:
    """The colour of a layer's box."""
    return {"Convolution": "#FF5050", "Deconvolution": "#FF5050", "Pooling": "#FF9900",
            "InnerProduct": "#CC33FF"}.get(layertype, "#6495ED")
