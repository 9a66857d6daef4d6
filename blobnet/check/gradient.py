"""One layer: its gradients against central differences, its forward against its formula, in float64."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
from google.protobuf.message import Message

from blobnet.backend import single_threaded_blas, to_host
from blobnet.check.compare import Rules, compare
from blobnet.check.differences import TOLERANCE
from blobnet.check.forward import check_forward
from blobnet.check.results import PUBLISHED, GradientResult, GradientResults, format_table
from blobnet.check.standalone import Standalone, exact_gradient, read_layer, standalone
from blobnet.core.context import TRAIN
from blobnet.core.layer import Layer
from blobnet.core.registry import class_of


def check_layer(source: str | Message, *bottoms, phase: int = TRAIN, seed: int = 0, kinks: Sequence[float] = (),
                kink_range: float = 0.01, tolerance: float = TOLERANCE,
                python_layers: bool = False, device: str = "cpu") -> GradientResults:
    """Check one layer, a prototxt `layer { … }` or a LayerParameter, at the given bottoms.

    The objective is the loss if the layer has loss weights, else a random weighting of the tops. A point is a kink,
    skipped and counted, where the slopes to both sides differ by more than what it seems wrong by. Where the published
    gradient is not the derivative of the loss, `gradient: EXACT` is checked in its place. `python_layers` and `device`
    as for Net.

    >>> print(check_layer('layer { name: "s" type: "Sigmoid" bottom: "x" top: "y" }', [-1.0, 0.0, 3.0]))
    layer  type     blob  kind    checked  skipped  worst error  forward  result
    s      Sigmoid  x     bottom        3        0      ...    plain  ok
    """
    param = read_layer(source)
    note = PUBLISHED if exact_gradient(param, class_of(param)) else ""
    rules = Rules(tolerance=tolerance, kinks=kinks, kink_range=kink_range)
    with single_threaded_blas():
        alone = standalone(param, *bottoms, phase=phase, seed=seed, python_layers=python_layers, device=device)
        stir(alone, np.random.default_rng(seed))
        return GradientResults(check_standalone(alone, rules, np.random.default_rng([seed, 1]), note))


def assert_gradients(source: str | Message, *bottoms, **options) -> GradientResults:
    """`check_layer`, for tests: AssertionError with the table if anything fails or no gradient could be checked."""
    results = check_layer(source, *bottoms, **options)
    if not any(result.checked for result in results) or not all(result.passed for result in results):
        raise AssertionError("gradients\n" + format_table(results))
    return results


def stir(alone: Standalone, rng: np.random.Generator) -> None:
    """Add noise to parameters that learn and were left constant by their filler: at 0 a wrong gradient looks right."""
    for i, values in enumerate(alone.parameters):
        if learns(alone.layer, i) and values.size and values.min() == values.max():
            values += rng.normal(0, 0.1, values.shape)


def move_from_kinks(alone: Standalone, rng: np.random.Generator) -> None:
    """Move all values a little, upwards: what a net computes may tie in a maximum, as the zeros of a ReLU do, and
    positive values, which a logarithm may need, stay positive."""
    for value, wanted in zip(alone.values, alone.differentiable()):
        if wanted and value.size:
            value += abs(rng.normal(0, 0.3, value.shape)) * (np.sqrt(np.square(value).mean()) or 1)


def check_standalone(alone: Standalone, rules: Rules, rng: np.random.Generator, note: str = "") -> list[GradientResult]:
    """Check forward, then every bottom that gets a gradient and every parameter that learns."""
    forward, results = check_forward(alone), _check_gradients(alone, rules, rng, note)
    if not forward.passed or (forward.error is not None and not results):
        param = alone.layer.param
        results.insert(0, GradientResult(param.name, param.type, ", ".join(param.top), "top", 0, 0, forward.error,
                                         forward.passed, forward.note))
    return [dataclasses.replace(result, forward=forward) for result in results[:1]] + results[1:]


def _check_gradients(alone: Standalone, rules: Rules, rng: np.random.Generator, note: str) -> list[GradientResult]:
    layer = alone.layer
    name, kind = layer.name, layer.type
    if type(layer).backward is Layer.backward:
        return [GradientResult(name, kind, "", "bottom", 0, 0, 0.0, True, "no backward")]
    tops, again = alone.forward(), alone.forward()
    if not all(np.array_equal(a, b, equal_nan=True) for a, b in zip(tops, again, strict=True)):
        return [GradientResult(name, kind, "", "bottom", 0, 0, np.inf, False, "two forwards of one step differ")]
    weights = _weights(layer, tops, rng)
    wanted, everywhere = alone.differentiable(), dataclasses.replace(rules, kinks=())
    bottom_diffs, param_diffs = _diffs(alone, weights, wanted, rng)
    results = []
    for i, (variable, gradient) in enumerate(zip(alone.values, bottom_diffs, strict=True)):
        if wanted[i]:
            results.append(GradientResult(name, kind, layer.param.bottom[i], "bottom", *compare(
                alone.forward, weights, [variable], [gradient], rules, rng, note)))
    for i, (variable, gradient) in enumerate(zip(alone.parameters, param_diffs, strict=True)):
        found = (compare(alone.forward, weights, [variable], [gradient], everywhere, rng, note) if learns(layer, i)
                 else (0, 0, 0.0, True, "lr_mult is 0"))
        results.append(GradientResult(name, kind, f"param {i}", "param", *found))
    return results


def _diffs(alone: Standalone, weights: Sequence[np.ndarray], wanted: Sequence[bool],
           rng: np.random.Generator) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """The diffs of bottoms and parameters by a second backward, before which the bottoms' are noise.

    Diffs of bottoms must be overwritten. Those of parameters must grow, so what one backward left is subtracted.
    """
    layer = alone.layer
    for blob in layer.blobs:
        blob.diff.fill(0)
    alone.backward(weights, wanted)
    once = [np.array(to_host(blob.diff)) for blob in layer.blobs]
    for blob in alone.bottom:
        blob.diff[...] = layer.xp.asarray(rng.normal(size=blob.shape))
    bottom_diffs, twice = alone.backward(weights, wanted), [to_host(blob.diff) for blob in layer.blobs]
    return bottom_diffs, [before if layer.overwrites and np.array_equal(after, before) else after - before
                          for after, before in zip(twice, once, strict=True)]


def learns(layer: Layer, i: int) -> bool:
    """Whether backward computes a gradient of parameter i that an update uses."""
    return layer.param_propagate_down[i] and not any(spec.lr_mult == 0 for spec in layer.param.param[i:i + 1])


def _weights(layer: Layer, tops: Sequence[np.ndarray], rng: np.random.Generator) -> list[np.ndarray]:
    """What the objective multiplies the tops with, and so the diffs that backward gets."""
    if any(layer.loss_weights):
        return [np.full(top.shape, weight, top.dtype) for top, weight in zip(tops, layer.loss_weights, strict=True)]
    return [rng.normal(size=top.shape) for top in tops]
