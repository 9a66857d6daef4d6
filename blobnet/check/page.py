"""How the file of a layer type reads: its name, its length, its docstring, its imports, its formula."""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path

from blobnet.check.kernels import kernels
from blobnet.core.layer import Layer

LONGEST = 120  # lines
SECTIONS = ("Bottoms:", "Tops:", "Params:", "Paper:", "Quirks:")


# Types whose forward no formula can tell. Where only some options draw random numbers, `formula` returns None.
READS = "its tops are what it reads"
WITHOUT_FORMULA = {
    "AnnotatedData": READS, "Data": READS, "DenseImageData": READS, "HDF5Data": READS, "HashingImageData": READS,
    "ImageData": READS,
    "ImageLabelmapData": READS, "ImageSegData": READS, "MemoryData": READS, "MultiLabelImageData": READS,
    "PairData": READS, "SegmentVideoData": READS, "TripletData": READS, "TripletImageData": READS,
    "TripletListData": READS, "VideoData": READS, "WindowData": READS, "WindowSegData": READS,
    "DummyData": "its tops are drawn by fillers",
    **dict.fromkeys(["EvalDetection", "MultiBoxLoss", "RegionEvalDetection", "RegionLoss", "Yolov3"],
                    "it matches step by step; the tests compare with loops"),
    "Python": "it computes what a class of the user's says",
}


def check_page(cls: type[Layer]) -> list[str]:
    """What is wrong with the page of the layer type `cls`, a sentence each."""
    path = Path(inspect.getfile(cls))
    text = path.read_text("utf-8")
    wrong = []
    name = cls.__name__.lower().replace("_", "")
    if path.stem.replace("_", "") != name:
        wrong.append(f"{path.name}: without underscores the file name should be {name}.py")
    if text.count("\n") > LONGEST:
        wrong.append(f"{path.name} has {text.count(chr(10))} lines, more than {LONGEST}")
    return wrong + _check_docstring(cls) + _check_imports(text, path) + _check_formula(cls)


def _check_docstring(cls: type[Layer]) -> list[str]:
    doc = inspect.cleandoc(cls.__doc__ or "")
    first, *rest = doc.split("\n") if doc else [""]
    wrong = []
    if not first.endswith(".") or rest[:1] not in ([], [""]):
        wrong.append("the docstring does not begin with one line of purpose")
    places = [doc.find(section) for section in SECTIONS]
    if -1 in places or places != sorted(places):
        wrong.append(f"the docstring lacks {', '.join(SECTIONS)} in this order")
    if "=" not in doc[len(first):max(places[0], 0)]:
        wrong.append("the docstring has no formula between purpose and Bottoms:")
    if cls.options_field and "Options:" not in doc:
        wrong.append("the docstring names no Options:")
    return wrong


def _check_imports(text: str, path: Path) -> list[str]:
    own = f"blobnet.layers.{path.parent.name}._"  # _base.py, and others of the folder that are no pages
    wrong = []
    for node in ast.walk(ast.parse(text)):
        names = ([alias.name for alias in node.names] if isinstance(node, ast.Import)
                 else [node.module or ""] if isinstance(node, ast.ImportFrom) else [])
        for name in names:
            if re.match(r"blobnet\.layers\b", name) and not name.startswith(own):
                wrong.append(f"imports {name}; what siblings share lives in _base.py or ops")
            if name.split(".")[0] == "cupy":
                wrong.append("imports cupy, which is for backend and ops")
    return wrong


def _check_formula(cls: type[Layer]) -> list[str]:
    """A reader must not leave the page for what forward computes."""
    called = kernels(cls)
    if not called or cls.formula or cls.__name__ in WITHOUT_FORMULA:
        return []
    return [f"forward calls {', '.join(sorted(called))} of blobnet.ops, so the page needs a `formula` in plain NumPy"]
