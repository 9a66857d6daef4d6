"""Nets as models of ONNX, which other programs run: `export` makes them. It takes pip install 'blobnet[onnx]'."""

from blobnet.exchange.onnx.model import export, left_out, write
from blobnet.exchange.onnx.registry import exports, leaves_out

__all__ = ["export", "exports", "leaves_out", "left_out", "write"]
