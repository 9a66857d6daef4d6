"""Layers that make blobs out of nothing. Those that read data became Input layers before."""

from __future__ import annotations

from typing import Any

from blobnet.errors import NetError
from blobnet.exchange.onnx.part import Part
from blobnet.exchange.onnx.registry import exports


@exports("DummyData")
def dummy_data(layer: Any, part: Part) -> list[str]:
    if layer.refilled:
        raise NetError(layer.where, "it draws at random", hint="without_data makes an Input layer of it")
    return [part.add("Expand", float(blob.data.flat[0]) if blob.count else 0.0, list(blob.shape) or [0] * 0)
            for blob in part.node.tops]
