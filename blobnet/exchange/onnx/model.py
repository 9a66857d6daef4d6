"""A net as a model of ONNX."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from blobnet.core.context import TEST
from blobnet.core.net import Net
from blobnet.errors import NetError
from blobnet.exchange.onnx.fold import fold
from blobnet.exchange.onnx.graph import Graph
from blobnet.exchange.onnx.part import Part
from blobnet.exchange.onnx.registry import exporter_of
from blobnet.exchange.onnx.sizes import Sizes, fixed_sizes, for_any_size, larger_twin, open_sizes
from blobnet.exchange.onnx.wires import Wired, Wires
from blobnet.optional import require_library
from blobnet.proto.storage import atomic_write

LARGEST = (1 << 31) - 1  # bytes of a message of protobuf


def export(net: Net, blobs: Sequence[str] = (), *, dynamic_batch: bool = False, fold_batch_norm: bool = False) -> Any:
    """The net, built in the phase TEST, as an onnx.ModelProto of opset 17 that onnx.checker has checked.

    Inputs and outputs have the names and shapes of the net's blobs. Losses, measures, and inputs that only they read
    are left out: the outputs are the blobs that no other layer reads, or `blobs`. A layer that takes more than two
    operators is a function of the domain "blobnet". Parameters are initializers such as "conv1.weight".
    dynamic_batch: leave the first axis of the inputs open; fold_batch_norm: put normalisation by stored statistics, and
    what scales and shifts channels after it, into the weights before it.
    NetError that names every layer that cannot be said in ONNX, or not for any size of a batch; MissingLibrary without
    the package onnx.
    """
    onnx = require_onnx()
    if net.phase != TEST or net.device != "cpu":
        raise NetError(f"net {net.name!r}", expected="a net of the phase TEST on the CPU",
                       got=f"{'TEST' if net.phase == TEST else 'TRAIN'}, {net.device}")
    wires = Wires(net, blobs)
    parts = write_parts(wires, net.name)
    sizes: Sizes = fixed_sizes(wires)
    if dynamic_batch or any(part.open for part in parts):
        larger = larger_twin(net, wires, parts, dynamic_batch, blobs)
        for_any_size(parts, write_parts(larger, net.name))
        batch = next((sizes[state][0] for state in wires.inputs if dynamic_batch and sizes[state]), None)
        sizes = open_sizes(wires, larger, batch)
    if fold_batch_norm:
        fold(wires, parts)
    model = Graph(net.name, wires, parts, sizes).model()
    if model.ByteSize() > LARGEST:
        raise NetError(f"net {net.name!r}", "its model is too large for a file of ONNX", got=model.ByteSize(),
                       expected=f"{LARGEST} bytes at most, as protobuf has it")
    onnx.checker.check_model(model, full_check=True)
    return model


def left_out(net: Net, blobs: Sequence[str] = ()) -> list[tuple[str, str]]:
    """The layers that `export` leaves out, each with the reason."""
    return [(wired.node.layer.where, wired.why) for wired in Wires(net, blobs).left_out]


def write_parts(wires: Wires, name: str) -> list[Part]:
    """What becomes of each layer; NetError with all the layers that cannot be said."""
    parts, errors = [], []
    for wired in wires.layers:
        try:
            parts.append(write_part(wired))
        except NetError as error:
            errors.append(str(error))
    if errors:
        lines = "".join(f"\n  {text}" for text in errors)
        raise NetError(f"net {name!r}", f"{len(errors)} of {len(wires.layers)} layers cannot be said in ONNX:{lines}")
    return parts


def write_part(wired: Wired) -> Part:
    """What becomes of one layer."""
    part = Part(wired.node)
    tops = exporter_of(part.layer)(part.layer, part, *part.bottoms)
    part.tops = [tops] if isinstance(tops, str) else list(tops)
    return part


def write(model: Any, path: str | os.PathLike) -> None:
    """Write a model, atomically."""
    content = model.SerializeToString()
    with atomic_write(path, len(content)) as file:
        file.write(content)


def require_onnx() -> Any:
    """The package onnx; MissingLibrary if it is not installed."""
    return require_library("onnx", "ONNX", "the export needs the package onnx", "'blobnet[onnx]'")
