"""`blobnet convert --to onnx`."""

from __future__ import annotations

import argparse
from pathlib import Path

from blobnet.cli._extensions import load_extensions
from blobnet.core.context import TEST
from blobnet.core.net import Net
from blobnet.core.without_data import without_data
from blobnet.exchange.onnx import export, left_out, write
from blobnet.netdef.load import load


def convert(args: argparse.Namespace) -> int:
    """Write the model of a net, and say what is in it and what is not; the exit status."""
    load_extensions(args.plugin)
    net = Net(without_data(load(args.source, TEST), dict(args.shape)), TEST, args.weights, origin=args.source,
              python_layers=args.python_layers)
    model = export(net, args.blob, dynamic_batch=args.dynamic_batch, fold_batch_norm=args.fold_batch_norm)
    target = args.target or str(Path(args.source).with_suffix(".onnx"))
    write(model, target)
    values = {"inputs": model.graph.input, "outputs": model.graph.output}
    words = [f"{kind} " + ", ".join(f"{value.name} {_shape(value)}" for value in found)
             for kind, found in values.items()]
    print(f"{target}: {len(model.graph.node)} nodes, {'; '.join(words)}")
    for where, why in left_out(net, args.blob):
        print(f"left out: {where}, {why}")
    if not args.weights and net.params:
        print("without --weights: the parameters are those that the fillers drew")
    return 0


def _shape(value) -> str:
    """The shape of an input or output, in words."""
    return " x ".join(str(axis.dim_param or axis.dim_value) for axis in value.type.tensor_type.shape.dim) or "()"
