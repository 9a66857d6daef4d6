"""The gradients of a whole net: each layer at the values it meets there, then the loss by all parameters at once."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

import numpy as np
from google.protobuf.message import Message

from blobnet.backend import single_threaded_blas
from blobnet.check.gradient import PUBLISHED, GradientResult, Rules, check_standalone, compare, stir
from blobnet.check.standalone import Standalone, exact_gradient
from blobnet.core.blob import Blob
from blobnet.core.context import TRAIN
from blobnet.core.net import Net
from blobnet.core.registry import LAYERS
from blobnet.data.first_record import batch_shape
from blobnet.errors import NetError, close_matches
from blobnet.netdef.load import load
from blobnet.netdef.without_data import without_data

BATCH = 6   # enough pairs and triplets; 2 and 3 divide it
RULES = Rules(exhaustive=16, directions=3)
PASSING = ("Split", "Slice", "Concat", "Flatten", "Reshape")  # a label is still one behind these


def check_net(source: str | os.PathLike | Message, phase: int = TRAIN,
              inputs: Mapping[str, np.ndarray] | None = None, *, shapes: Mapping[str, tuple[int, ...]] | None = None,
              layers: Sequence[str] = (), level: int = 0, stages: Sequence[str] = (),
              seed: int = 0) -> list[GradientResult]:
    """Check all layers of a net, or those named in `layers`, and then the loss of the whole net.

    The net needs no data: data layers become Input layers of the given `shapes`, or of those their options or
    databases tell, with a batch cut to 6 if neither `shapes` nor `inputs` are given. `inputs` gives values by blob
    name; other labels are 0 or 1 at random, other inputs are normal. NetError for a shape that cannot be told.
    """
    rng = np.random.default_rng(seed)
    inputs = {name: np.asarray(value, float) for name, value in (inputs or {}).items()}
    shapes = dict(shapes or {}) | {name: value.shape for name, value in inputs.items()}
    definition = without_data(load(source, phase, level, stages), shapes, batch_shape)
    if not shapes:
        _cut_batches(definition)
    published = {layer.name for layer in definition.layer
                 if layer.type in LAYERS and exact_gradient(layer, LAYERS[layer.type])}
    origin = None if isinstance(source, Message) else os.fspath(source)
    net = Net(definition, phase, level=level, stages=stages, dtype="float64", random_seed=seed, origin=origin)
    for name in layers:
        if name not in net.layer_dict:
            raise NetError(f"net {net.name!r}", f"no layer {name!r}", hint=close_matches(name, net.layer_dict))
    with single_threaded_blas():
        results = _check_layers(net, _inputs(net, inputs, rng), layers, published, rng)
        return results if layers else results + _check_loss(net, rng)


def _cut_batches(definition: Message) -> None:
    """Cut the first axis of all inputs to 6, if it is one batch for all."""
    shapes = [shape for layer in definition.layer if layer.type == "Input" for shape in layer.input_param.shape]
    if len({tuple(shape.dim[:1]) for shape in shapes}) == 1:
        for shape in shapes:
            if shape.dim:
                shape.dim[0] = min(shape.dim[0], BATCH)


def _inputs(net: Net, given: Mapping[str, np.ndarray], rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Values for the input blobs, which they take."""
    for name in net.inputs:
        blob = net.blobs[name]
        if name in given:
            values = given[name]
        elif _is_label(net, name):
            values = rng.permutation(np.arange(blob.count) % 2).reshape(blob.shape)
        else:
            values = rng.normal(size=blob.shape)
        blob.data[...] = values
    return {name: net.blobs[name].data.copy() for name in net.inputs}


def _is_label(net: Net, name: str) -> bool:
    """Whether the blob ends, perhaps split or cut, in a bottom that takes no gradient."""
    for layer in net.layers:
        for i, bottom in enumerate(layer.param.bottom):
            if bottom == name and (i > 0 and i in layer.unforced_bottoms or layer.type in PASSING and any(
                    _is_label(net, top) for top in layer.param.top)):
                return True
    return False


def _check_layers(net: Net, values: dict[str, np.ndarray], names: Sequence[str], published: set[str],
                  rng: np.random.Generator) -> list[GradientResult]:
    """Run the net layer by layer on `values`, and check each layer on the way."""
    results = []
    for layer in net.layers:
        if not layer.param.bottom:
            for name in layer.param.top:
                values.setdefault(name, net.blobs[name].data.copy())
            continue
        bottoms = [values[name] for name in layer.param.bottom]
        alone = Standalone(layer, bottoms)
        layer.reshape(alone.bottom, alone.top)
        stir(alone, rng)
        if not names or layer.name in names:
            for value, wanted in zip(alone.values, alone.differentiable()):
                if wanted and value.size:  # zeros from a ReLU tie in a maximum: move them, and keep positive what is
                    value += abs(rng.normal(0, 0.3, value.shape)) * (np.sqrt(np.square(value).mean()) or 1)
            results += check_standalone(alone, RULES, rng, PUBLISHED if layer.name in published else "")
            alone.values = bottoms
        values.update(zip(layer.param.top, alone.forward()))
    return results


def _ways_to_loss(net: Net) -> list[tuple[Blob, set[str]]]:
    """Each parameter blob of each layer, and whether its gradient comes from the loss on a way that is "open", "cut" or
    (both) on several."""
    ways, found = {}, []
    for layer, node in zip(reversed(net.layers), reversed(net._nodes), strict=True):
        above = set().union(*(ways.pop(name, set()) for name in node.tops), {"open"} if any(node.is_loss) else set())
        if above and not node.needs_backward:
            above = {"cut"}
        found += [(blob, above) for blob in layer.blobs]
        for name, needed in zip(node.bottoms, node.bottom_needs_backward, strict=True):
            ways[name] = ways.get(name, set()) | (above if needed or not above else {"cut"})
    return found


def _check_loss(net: Net, rng: np.random.Generator) -> list[GradientResult]:
    """Check the net's loss by all parameters that learn, along random directions through all of them.

    Parameters whose gradient is cut off, as by propagate_down: false, are left alone.
    """
    ways = _ways_to_loss(net)
    known = [(parameter.blob, set().union(*(way for blob, way in ways if np.may_share_memory(
        blob.diff, parameter.blob.diff)))) for parameter in net.parameters if parameter.lr_mult != 0]
    if any(len(way) > 1 for _, way in known):
        return [GradientResult("(whole net)", "", "loss", "param", 0, 0, 0.0, True,
                               "propagate_down cuts a part of a gradient")]
    learned = [blob for blob, way in known if "cut" not in way]
    everything = [blob for blobs in net.params.values() for blob in blobs]
    start = [blob.data.copy() for blob in everything]
    if not learned or not any(any(layer.loss_weights) for layer in net.layers):
        return []
    variables = [blob.data.copy() for blob in learned]

    def loss() -> list[np.ndarray]:
        for blob, value in zip(everything + learned, start + variables, strict=True):
            blob.data[...] = value
        net.seek(0)
        net.forward()
        return [np.array(net.loss)]

    loss()
    net.clear_param_diffs()
    net.backward()
    gradients = [blob.diff.copy() for blob in learned]
    return [GradientResult("(whole net)", "", "loss", "param", *compare(
        loss, [np.ones(())], variables, gradients, Rules(exhaustive=0, tolerance=1e-3), rng))]
