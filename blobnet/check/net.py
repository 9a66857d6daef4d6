"""A whole net: each layer at the values that come to it there, then the loss by all parameters at once."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from types import SimpleNamespace

import numpy as np
from google.protobuf.message import Message

from blobnet.backend import single_threaded_blas, to_host
from blobnet.check.compare import Rules
from blobnet.check.gradient import check_standalone, move_from_kinks, stir
from blobnet.check.net_loss import check_loss
from blobnet.check.results import PUBLISHED, GradientResult, GradientResults
from blobnet.check.standalone import Standalone, exact_gradient
from blobnet.core.context import TRAIN
from blobnet.core.net import Net
from blobnet.core.node import Node
from blobnet.core.registry import declarations, known_class
from blobnet.core.without_data import without_data
from blobnet.errors import NetError, ShapeError, close_matches
from blobnet.netdef.load import load

BATCH = 6   # enough pairs and triplets; 2 and 3 divide it
RULES = Rules(exhaustive=16, directions=3)


def check_net(source: str | os.PathLike | Message, phase: int = TRAIN,
              inputs: Mapping[str, np.ndarray] | None = None, *, shapes: Mapping[str, tuple[int, ...]] | None = None,
              layers: Sequence[str] = (), level: int = 0, stages: Sequence[str] = (),
              seed: int = 0, python_layers: bool = False, device: str = "cpu") -> GradientResults:
    """Check all layers of a net, or those named in `layers`, and then the loss of the whole net.

    The net needs no data: data layers become Input layers of the given `shapes`, or of those their options or
    databases tell, with a batch cut to 6 if neither `shapes` nor `inputs` are given and the net can be built so.
    `inputs` gives values by blob name; other labels are 0 or 1 at random, other inputs are normal. `python_layers` and
    `device` as for Net. NetError for a shape that cannot be told.
    """
    rng = np.random.default_rng(seed)
    inputs = {name: np.asarray(value, float) for name, value in (inputs or {}).items()}
    shapes = dict(shapes or {}) | {name: value.shape for name, value in inputs.items()}
    given = load(source, phase, level, stages)
    labels = label_names(given)
    definition = without_data(given, shapes)
    published = {layer.name for layer in definition.layer
                 if (cls := known_class(layer)) is not None and exact_gradient(layer, cls)}
    origin = None if isinstance(source, Message) else os.fspath(source)

    def build(given: Message) -> Net:
        return Net(given, phase, level=level, stages=stages, dtype="float64", random_seed=seed, origin=origin,
                   python_layers=python_layers, device=device)

    try:
        net = build(definition if shapes else with_small_batches(definition))
    except ShapeError:  # a layer may cut the batch at places that are written out
        net = build(definition)
    for name in layers:
        if name not in net.layer_dict:
            raise NetError(f"net {net.name!r}", f"no layer {name!r}", hint=close_matches(name, net.layer_dict))
    with single_threaded_blas():
        fill_inputs(net, inputs, labels, rng)
        results = _check_layers(net, layers, published, rng)
        return GradientResults(results if layers else results + check_loss(net, rng))


def with_small_batches(definition: Message, rows: int = BATCH) -> Message:
    """A copy with the first axis of all inputs cut to `rows`, if it is one batch for all."""
    result = type(definition)()
    result.CopyFrom(definition)
    shapes = [shape for layer in result.layer if declarations(layer).is_input for shape in layer.input_param.shape]
    if len({tuple(shape.dim[:1]) for shape in shapes}) == 1:
        for shape in shapes:
            if shape.dim:
                shape.dim[0] = min(shape.dim[0], rows)
    return result


def fill_inputs(net: Net, given: Mapping[str, np.ndarray], labels: set[str], rng: np.random.Generator) -> None:
    """Give the input blobs their values; `labels` are those that their data layers call labels."""
    for name in net.inputs:
        blob = net.blobs[name]
        if name in given:
            values = given[name]
        elif name in labels or is_label(net, name):
            values = rng.permutation(np.arange(blob.count) % 2).reshape(blob.shape)
        else:
            values = rng.normal(size=blob.shape)
        blob.data[...] = net.xp.asarray(values)


def label_names(net: Message) -> set[str]:
    """The tops that the data layers of a definition call labels."""
    return {top for layer in net.layer for i, top in enumerate(layer.top) if i in declarations(layer).label_tops}


def is_label(net: Net, name: str) -> bool:
    """Whether a layer of `net` reads the blob `name`, or a part of it, as labels are read: at a bottom that takes no
    gradient."""
    for layer in net.layers:
        for i, bottom in enumerate(layer.param.bottom):
            if bottom == name and (i > 0 and i in layer.unforced_bottoms or layer.passes_labels and any(
                    is_label(net, top) for top in layer.param.top)):
                return True
    return False


def _check_layers(net: Net, names: Sequence[str], published: set[str],
                  rng: np.random.Generator) -> list[GradientResult]:
    """Run the net forward, and check each layer at the values that come to it there."""
    results: list[GradientResult] = []

    def check(node: Node) -> None:
        layer = node.layer
        if not node.bottoms:
            return
        alone = Standalone(layer, [to_host(blob.data) for blob in node.bottoms])
        layer.reshape(alone.bottom, alone.top)
        stir(alone, rng)
        if not names or layer.name in names:
            move_from_kinks(alone, rng)
            results.extend(check_standalone(alone, RULES, rng, PUBLISHED if layer.name in published else ""))
        for blob, values in zip(layer.blobs, alone.parameters, strict=True):
            blob.data[...] = net.xp.asarray(values)
        layer.seek(net.context.step)
        layer.reshape(node.bottoms, node.tops)

    with net.watched_by(SimpleNamespace(before_forward=check)):
        net.forward()
    return results
