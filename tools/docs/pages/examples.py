"""A small net for every layer type, made of the rows by which the tests prove it."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from functools import cache

from google.protobuf.message import Message

from blobnet.check import Case
from blobnet.core.layer import Layer
from blobnet.netdef.upgrade import upgrade_net
from blobnet.proto.messages import new
from blobnet.proto.text import dump, parse
from blobnet.view.mathematics import sections
from pages.links import ROOT

FOLDER = "FOLDER"  # what the rows write for the folder of their data
WIDTH = 78
INNER = re.compile(r"^( +)\w+ \{\n(?:[^{}\n]|(?<= )\{ .*? \}$|\n)*?\1\}$", re.MULTILINE)
OTHERS = {  # where a layer of Input layers alone cannot be
    "AutoCrop": """name: "AutoCrop"
        layer { name: "x" type: "Input" top: "x" input_param { shape { dim: 2 dim: 3 dim: 5 dim: 6 } } }
        layer { name: "r" type: "Pooling" bottom: "x" top: "r" pooling_param { kernel_size: 3 } }
        layer { name: "auto_crop" type: "AutoCrop" bottom: "x" bottom: "r" top: "y" }"""}
# Types whose examples `blobnet explain` cannot make up numbers for, or runs no code of.
OWN_VALUES = {"DetectionEvaluate", "Embed", "HDF5Output", "HashCenter", "Log", "MultiBoxLoss", "Python",
              "RegionEvalDetection", "Threshold"}
BLOB = re.compile(r"\b(?!or\b)([A-Za-z]\w*) \(")  # of a page: "codes u (N, K)"
EXACT = "gradient: EXACT"  # another gradient than a net of the paper asks for


@cache
def rows() -> dict[str, Case]:
    """A row of every layer type: the first with its published gradient, and of these the one that has its name."""
    folder = str(ROOT / "tests/layers")
    if folder not in sys.path:
        sys.path.append(folder)
    from layer_cases import CASES

    best: dict[str, Case] = {}
    for exact, named in ((False, True), (False, False), (True, True), (True, False)):
        for name, case in CASES.items():
            if (EXACT in case.source, name == case.type.__name__) == (exact, named):
                best.setdefault(case.type.__name__, case)
    return best


def example(cls: type[Layer], folder: str = "data") -> Message:
    """A net (NetParameter) of the layer and of Input layers for its bottoms, in the order of the row's values.

    Its data, if it reads any, is in `folder`.
    """
    if cls.__name__ in OTHERS:
        return parse(OTHERS[cls.__name__], "NetParameter", cls.__name__)
    case = rows()[cls.__name__]
    layer = upgrade_net(parse(case.source.replace(FOLDER, folder), "NetParameter", "example")).layer[0]
    layer.name = cls.__module__.rsplit(".", 1)[1]
    layer.loss_weight[:] = [float(weight != 0) for weight in layer.loss_weight] if len(layer.top) > 1 else []
    _name_blobs(layer, sections(cls).rest)
    inputs = [new("LayerParameter", name=name, type="Input", top=[name], input_param={"shape": [{"dim": value.shape}]})
              for name, value in zip(layer.bottom, case.values())]
    return new("NetParameter", name=cls.__name__, layer=[*inputs, layer])


def _name_blobs(layer: Message, told: Iterable[tuple[str, str]]) -> None:
    """Call the blobs of the layer as its page does, "codes u (N, K)" being u, if it has a name for each."""
    texts = dict(told)
    bottoms, tops = (BLOB.findall(texts[term])[:len(given)] for term, given in
                     (("Bottoms", layer.bottom), ("Tops", layer.top)))
    bottoms = bottoms if len(bottoms) == len(layer.bottom) else list(layer.bottom)
    tops = tops if len(tops) == len(layer.top) else list(layer.top)
    if len({*bottoms, *tops}) == len(bottoms) + len(tops):
        layer.bottom[:], layer.top[:] = bottoms, tops


def written(net: Message) -> str:
    """The prototxt of a net; what is in a layer and fits on a line stands on one."""
    text, before = dump(net), ""
    while text != before:
        before, text = text, INNER.sub(_on_a_line, text)
    return text


def _on_a_line(match: re.Match) -> str:
    line = match[1] + " ".join(match[0].split())
    return line if len(line) <= WIDTH else match[0]
