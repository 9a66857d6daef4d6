"""Layers in Python, whose classes say themselves what they are in ONNX."""

from __future__ import annotations

from typing import Any

from blobnet.errors import NetError
from blobnet.exchange.onnx.part import Part
from blobnet.exchange.onnx.registry import exports


@exports("Python")
def python(layer: Any, part: Part, *x: str) -> str | list[str]:
    """What the method `onnx(self, part, *x)` of the class returns, which does what functions with @exports do."""
    if not hasattr(layer.user, "onnx"):
        raise NetError(layer.where, f"nothing says what its class {type(layer.user).__name__!r} is in ONNX",
                       hint="a method of the class can, onnx(self, part, *bottoms), as @blobnet.exchange.onnx.exports "
                            "tells")
    return layer.user.onnx(part, *x)
