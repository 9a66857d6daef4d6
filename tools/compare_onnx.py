#!/usr/bin/env python3
"""Compare nets with their ONNX models, which ONNX Runtime runs.

Prints for every net its nodes and the largest difference of a number of an output, relative to the largest number of
that output. Inputs are drawn at random; so are, without --weights, the parameters, and the statistics of BatchNorm.
Where neither the net nor --shape tells a shape, a likely one is taken, and --rows sets the size of a batch.

    python tools/compare_onnx.py NET.prototxt … [--weights FILE] [--shape data=1,3,224,224] [--rows 2]
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from blobnet.cli._extensions import load_extensions
from blobnet.cli._flags import add_extension_flags
from blobnet.cli._shapes import add_shape_option
from blobnet.core.context import TEST
from blobnet.core.net import Net
from blobnet.core.weights_named import parameter_names
from blobnet.core.without_data import without_data
from blobnet.errors import BlobnetError
from blobnet.exchange.onnx import export
from blobnet.exchange.onnx.wires import Wires
from blobnet.log.table import table
from blobnet.netdef.load import load

Arrays = dict[str, np.ndarray]


def build(path: str, shapes: Mapping[str, tuple[int, ...]], weights: Sequence[str] = (), rows: int = 0,
          **more: Any) -> Net:
    """The net in the phase TEST, without its data, with `rows` in the first axis of the inputs whose shapes are not
    given; `more` as for Net."""
    definition = without_data(load(path, TEST), shapes, {})
    for layer in definition.layer:
        for name, shape in zip(layer.top, layer.input_param.shape):
            if rows and shape.dim and name not in shapes:
                shape.dim[0] = rows
    net = Net(definition, TEST, weights, origin=path, random_seed=1, **more)
    if not weights:
        draw_parameters(net, np.random.default_rng(1))
    return net


def draw_parameters(net: Net, rng: np.random.Generator) -> None:
    """Draw parameters that are 0, as those are of layers that are to learn, and statistics near a mean of 0 and a
    variance of 1."""
    for layer in net.layers:
        for blob, name in zip(layer.blobs, parameter_names(layer.param, len(layer.blobs))):
            if blob.count and not blob.data.any():
                spread = 0.1 if blob.num_axes < 2 else (blob.count / blob.shape[0]) ** -0.5
                blob.data[...] = rng.normal(size=blob.shape) * spread
            if name in ("variance", "factor"):
                blob.data[...] = rng.uniform(0.5, 1.5, blob.shape)


def draw_inputs(net: Net, rng: np.random.Generator) -> Arrays:
    """Normal numbers for the inputs of the model of a net, 0 for others, which are labels; im_info says what data is.
    """
    drawn = {state.name for state in Wires(net).inputs}
    found = {name: (rng.normal(size=net.blobs[name].shape) * (name in drawn)).astype(np.float32) for name in net.inputs}
    if "im_info" in drawn:
        found["im_info"][:, :3] = *found["data"].shape[2:], 1
    return found


def run_onnx(model: Any, inputs: Mapping[str, np.ndarray]) -> Arrays:
    """What ONNX Runtime computes, by the names of the outputs."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = 1, 3
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    names = [value.name for value in session.get_outputs()]
    return dict(zip(names, session.run(names, {value.name: inputs[value.name] for value in session.get_inputs()})))


def difference(got: np.ndarray, expected: np.ndarray) -> float:
    """The largest difference, relative to the largest finite number expected; inf for other shapes, and where numbers
    that are not finite are not the same."""
    if got.shape != expected.shape:
        return np.inf
    with np.errstate(invalid="ignore", over="ignore"):
        same = (got == expected) | (np.isnan(got) & np.isnan(expected))
        apart = np.abs(np.where(same, 0, got.astype(float) - expected)).max(initial=0)
    largest = np.abs(expected[np.isfinite(expected)]).max(initial=0)
    return float(apart / largest) if apart else 0.0


def compare(net: Net, model: Any, inputs: Mapping[str, np.ndarray]) -> float:
    """The largest difference of all outputs of a net and its model. What stands behind them in the net does not run."""
    found = run_onnx(model, inputs)
    net.forward(end=max(i for i, layer in enumerate(net.layers) if set(layer.param.top) & set(found)), **inputs)
    return max(difference(values, net.blobs[name].data) for name, values in found.items())


def row(path: str, args: argparse.Namespace) -> tuple[str, ...]:
    """The row of the table for a net."""
    start = time.perf_counter()
    try:
        net = build(path, dict(args.shape), args.weights, args.rows, python_layers=args.python_layers)
        model = export(net)
        found = compare(net, model, draw_inputs(net, np.random.default_rng(2)))
    except BlobnetError as error:
        return path, "", "", "", " ".join(str(error).split("\n"))
    outputs = ", ".join(value.name for value in model.graph.output)
    return path, str(len(model.graph.node)), f"{found:.1e}", f"{time.perf_counter() - start:.1f}", outputs


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("nets", nargs="+", metavar="NET.prototxt")
    parser.add_argument("--weights", action="append", default=[], metavar="FILE", help="weights of the nets")
    parser.add_argument("--rows", type=int, default=0, metavar="N", help="the size of a batch (default: the net's)")
    add_shape_option(parser)
    add_extension_flags(parser)
    args = parser.parse_args()
    load_extensions(args.plugin)
    rows = [("net", "nodes", "difference", "seconds", "outputs, or why there is no model")]
    for path in args.nets:
        rows.append(row(path, args))
    print(table(rows, left=(0, 4)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
