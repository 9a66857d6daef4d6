"""Gradients against central differences, in float64."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np
from google.protobuf.message import Message

from blobnet.backend import single_threaded_blas
from blobnet.check.standalone import Standalone, exact_gradient, read_layer, standalone
from blobnet.core.context import TRAIN
from blobnet.core.layer import Layer
from blobnet.core.registry import class_of

STEP = 1e-5        # of the differences, in parts of the variable's root mean square
DIRECTION = 1e-3   # standard deviation of random directions: small, so that hardly an element crosses a kink
TOLERANCE = 1e-4   # largest relative error
PUBLISHED = "published gradient; EXACT checked"


@dataclasses.dataclass(frozen=True)
class GradientResult:
    """What the check of one blob's gradient found.

    kind: "bottom" or "param"; checked: elements, or random directions, whose difference was compared; skipped: those
    at a kink; worst_relative_error: of those checked; note: what else a reader should know.
    """

    layer: str
    type: str
    blob: str
    kind: str
    checked: int
    skipped: int
    worst_relative_error: float
    passed: bool
    note: str = ""


@dataclasses.dataclass(frozen=True)
class Rules:
    """How to check: blobs of at most `exhaustive` elements element by element, others along `directions` random
    directions; elements within `kink_range` of a number in `kinks` are left out."""

    exhaustive: int = 256
    directions: int = 5
    tolerance: float = TOLERANCE
    kinks: Sequence[float] = ()
    kink_range: float = 0.01


def check_layer(source: str | Message, *bottoms, phase: int = TRAIN, seed: int = 0, kinks: Sequence[float] = (),
                kink_range: float = 0.01, tolerance: float = TOLERANCE,
                python_layers: bool = False) -> list[GradientResult]:
    """Check the gradients of one layer, a prototxt `layer { … }` or a LayerParameter, at the given bottoms.

    The objective is the loss if the layer has loss weights, else a random weighting of the tops. A point is a kink,
    skipped and counted, where the slopes to both sides differ by more than what it seems wrong by. Where the published
    gradient is not the derivative of the loss, `gradient: EXACT` is checked in its place. `python_layers` as for Net.

    >>> print(format_table(check_layer('layer { name: "s" type: "Sigmoid" bottom: "x" top: "y" }', [-1.0, 0.0, 3.0])))
    layer  type     blob  kind    checked  skipped  worst error  result
    s      Sigmoid  x     bottom        3        0      ...  ok
    """
    param = read_layer(source)
    note = PUBLISHED if exact_gradient(param, class_of(param)) else ""
    rules = Rules(tolerance=tolerance, kinks=kinks, kink_range=kink_range)
    with single_threaded_blas():
        alone = standalone(param, *bottoms, phase=phase, seed=seed, python_layers=python_layers)
        stir(alone, np.random.default_rng(seed))
        return check_standalone(alone, rules, np.random.default_rng([seed, 1]), note)


def assert_gradients(source: str | Message, *bottoms, **options) -> list[GradientResult]:
    """`check_layer`, for tests: AssertionError with the table if anything fails or nothing could be checked."""
    results = check_layer(source, *bottoms, **options)
    if not any(result.checked for result in results) or not all(result.passed for result in results):
        raise AssertionError("gradients\n" + format_table(results))
    return results


def stir(alone: Standalone, rng: np.random.Generator) -> None:
    """Add noise to parameters that learn and were left constant by their filler: at 0 a wrong gradient looks right."""
    for i, values in enumerate(alone.parameters):
        if _learns(alone.layer, i) and values.size and values.min() == values.max():
            values += rng.normal(0, 0.1, values.shape)


def check_standalone(alone: Standalone, rules: Rules, rng: np.random.Generator, note: str = "") -> list[GradientResult]:
    """Check every bottom that gets a gradient and every parameter that learns."""
    layer = alone.layer
    name, kind = layer.name, layer.type
    if type(layer).backward is Layer.backward:
        return [GradientResult(name, kind, "", "bottom", 0, 0, 0.0, True, "no backward")]
    tops, again = alone.forward(), alone.forward()
    if not all(np.array_equal(a, b, equal_nan=True) for a, b in zip(tops, again, strict=True)):
        return [GradientResult(name, kind, "", "bottom", 0, 0, np.inf, False, "two forwards of one step differ")]
    weights = _weights(layer, tops, rng)
    for blob in layer.blobs:
        blob.diff.fill(0)
    wanted, everywhere = alone.differentiable(), dataclasses.replace(rules, kinks=())
    alone.backward(weights, wanted)
    once = [blob.diff.copy() for blob in layer.blobs]
    for blob in alone.bottom:
        blob.diff[...] = rng.normal(size=blob.shape)  # to be overwritten, while the diffs of parameters grow
    bottom_diffs = alone.backward(weights, wanted)
    param_diffs = [before if layer.overwrites and np.array_equal(blob.diff, before) else blob.diff - before
                   for blob, before in zip(layer.blobs, once, strict=True)]
    results = []
    for i, (variable, gradient) in enumerate(zip(alone.values, bottom_diffs, strict=True)):
        if wanted[i]:
            results.append(GradientResult(name, kind, layer.param.bottom[i], "bottom", *compare(
                alone.forward, weights, [variable], [gradient], rules, rng, note)))
    for i, (variable, gradient) in enumerate(zip(alone.parameters, param_diffs, strict=True)):
        found = (compare(alone.forward, weights, [variable], [gradient], everywhere, rng, note) if _learns(layer, i)
                 else (0, 0, 0.0, True, "lr_mult is 0"))
        results.append(GradientResult(name, kind, f"param {i}", "param", *found))
    return results


def _learns(layer: Layer, i: int) -> bool:
    return layer.param_propagate_down[i] and not any(spec.lr_mult == 0 for spec in layer.param.param[i:i + 1])


def _weights(layer: Layer, tops: Sequence[np.ndarray], rng: np.random.Generator) -> list[np.ndarray]:
    if any(layer.loss_weights):
        return [np.full(top.shape, weight, top.dtype) for top, weight in zip(tops, layer.loss_weights, strict=True)]
    return [rng.normal(size=top.shape) for top in tops]


def compare(outputs: Callable[[], list[np.ndarray]], weights: Sequence[np.ndarray], variables: Sequence[np.ndarray],
            gradients: Sequence[np.ndarray], rules: Rules, rng: np.random.Generator, note: str = "") -> tuple:
    """Compare the `gradients` of sum(weights * outputs()) with differences, changing `variables` in place meanwhile.

    Returns checked, skipped, worst relative error, passed, note. Errors are relative to the larger of both numbers,
    but never to less than a small part of the whole gradient or of what rounding makes uncertain. Fails if more than
    half of the points turn out to be kinks, for then the outputs jump.
    """
    start = [variable.copy() for variable in variables]
    base = outputs()
    size = np.sqrt(sum(float(np.square(w * y).sum()) for w, y in zip(weights, base, strict=True)))
    uncertain = np.finfo(float).eps * size / STEP * 10 / TOLERANCE

    def shifted(sign: int, points: Sequence[np.ndarray]) -> list[np.ndarray]:
        for variable, value, scale, point in zip(variables, start, scales, points, strict=True):
            variable[...] = value + sign * STEP * scale * point
        return outputs()

    count = sum(value.size for value in start)
    scales = [float(np.sqrt(np.square(value).mean())) or 1.0 if value.size else 1.0 for value in start]
    slopes = [scale * gradient for scale, gradient in zip(scales, gradients, strict=True)]
    exhaustive = count <= rules.exhaustive
    near = [np.any([abs(value - kink) <= rules.kink_range for kink in rules.kinks], axis=0) if rules.kinks
            else np.zeros(value.shape, bool) for value in start]
    if exhaustive:
        points = _axes(start, near)
        floor = max(1e-3 * max((float(abs(g).max()) for g in slopes if g.size), default=0.0), uncertain)
        declared = sum(int(mask.sum()) for mask in near)
    else:
        points = ([rng.normal(0, DIRECTION, value.shape) * ~mask for value, mask in zip(start, near, strict=True)]
                  for _ in range(rules.directions))
        floor = max(0.1 * DIRECTION * np.sqrt(sum(float(np.square(g).sum()) for g in slopes)), uncertain)
        declared = 0
        note = "; ".join(filter(None, [note, f"random directions of {count} elements"]))
    checked, found, worst = 0, 0, 0.0
    for point in points:
        numeric = bend = 0.0
        for w, plus, middle, minus in zip(weights, shifted(1, point), base, shifted(-1, point), strict=True):
            numeric += float((w * (plus - minus)).sum()) / (2 * STEP)
            bend += float(abs(w * (plus - 2 * middle + minus)).sum()) / STEP
        analytic = sum(float((g * p).sum()) for g, p in zip(slopes, point, strict=True))
        difference = abs(numeric - analytic)
        error = difference / max(abs(numeric), abs(analytic), floor, np.finfo(float).tiny)
        if error > rules.tolerance and bend > difference:
            found += 1
            continue
        checked, worst = checked + 1, max(worst, error if np.isfinite(error) else np.inf)
    for variable, value in zip(variables, start, strict=True):
        variable[...] = value
    return checked, declared + found, worst, worst <= rules.tolerance and found <= max(checked, 1), note


def _axes(start: Sequence[np.ndarray], near: Sequence[np.ndarray]):
    """The unit vectors of all elements that are not near a kink."""
    for i, mask in enumerate(near):
        for index in np.argwhere(~mask):
            point = [np.zeros(value.shape) for value in start]
            point[i][tuple(index)] = 1
            yield point


def format_table(results: Sequence[GradientResult]) -> str:
    """The results as lines of text; the last column says ok, FAIL, published or skipped, and the note."""
    head = ("layer", "type", "blob", "kind", "checked", "skipped", "worst error", "result")
    rows = [head] + [(r.layer, r.type, r.blob, r.kind, str(r.checked), str(r.skipped), f"{r.worst_relative_error:.1e}",
                      _verdict(r)) for r in results]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    pads = (str.ljust,) * 4 + (str.rjust,) * 3 + (str.ljust,)
    return "\n".join("  ".join(pad(cell, width) for pad, cell, width in zip(pads, row, widths, strict=True)).rstrip()
                     for row in rows)


def _verdict(result: GradientResult) -> str:
    word = ("FAIL" if not result.passed else "published" if PUBLISHED in result.note
            else "ok" if result.checked else "skipped")
    return f"{word} ({result.note})" if result.note else word
