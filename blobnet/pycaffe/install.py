"""Lets `import caffe` mean this package."""

from __future__ import annotations

import importlib
import sys

SUBMODULES = ("_caffe", "classifier", "coord_map", "detector", "draw", "io", "net_spec", "proto", "proto.caffe_pb2",
              "pycaffe")


def install_as_caffe() -> None:
    """Let `import caffe`, and imports of its submodules, give blobnet.pycaffe, for scripts written for pycaffe.

    It takes the place of a Caffe that is installed too; modules that imported that before keep it.
    """
    for name in [name for name in sys.modules if name.startswith("caffe.")]:
        del sys.modules[name]
    sys.modules["caffe"] = importlib.import_module("blobnet.pycaffe")
    for name in SUBMODULES:
        sys.modules[f"caffe.{name}"] = importlib.import_module(f"blobnet.pycaffe.{name}")
