"""The contract that every layer type meets: what forward and backward write, shapes, arity, repeatability."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
from google.protobuf.message import Message

from blobnet.check.forward import check_forward
from blobnet.check.gradient import check_layer
from blobnet.check.results import format_table
from blobnet.check.standalone import Standalone, read_layer, standalone
from blobnet.core.context import TRAIN
from blobnet.core.layer import Layer
from blobnet.core.registry import class_of
from blobnet.errors import NetError, ShapeError

MARK = 7.0  # written where a layer must not write, or must overwrite


@dataclasses.dataclass(frozen=True)
class Case:
    """A layer to try.

    source: its prototxt `layer { … }`, not in place; bottoms: arrays, or shapes to fill with normal numbers;
    exceptions: names of rules that the type breaks, with the reason; python_layers: as for Net;
    expected: gives the tops from the bottoms and parameters, as a formula does, for types whose page has none.
    """

    source: str
    bottoms: Sequence[np.ndarray | tuple[int, ...]] = ()
    phase: int = TRAIN
    exceptions: Mapping[str, str] = dataclasses.field(default_factory=dict)
    python_layers: bool = False
    expected: Callable | None = None

    @property
    def type(self) -> type[Layer]:
        return class_of(read_layer(self.source))

    def values(self) -> list[np.ndarray]:
        rng = np.random.default_rng(3)
        return [rng.normal(size=given) if isinstance(given, tuple) else np.asarray(given, float)
                for given in self.bottoms]

    def build(self, values: Sequence[np.ndarray] | None = None, param: Message | None = None,
              dtype: str = "float64") -> Standalone:
        values = self.values() if values is None else values
        return standalone(param or self.source, *values, phase=self.phase, dtype=dtype, seed=5,
                          python_layers=self.python_layers)


Rule = Callable[[Case], Iterator[str]]
RULES: dict[str, Rule] = {}


def rule(body: Rule) -> Rule:
    """Add a rule: it yields a sentence for every breach."""
    RULES[body.__name__] = body
    return body


def check_contract(case: Case) -> list[str]:
    """The breaches of the contract in `case`, a sentence each, but for the exceptions it declares."""
    return [f"{name}: {breach}" for name, body in RULES.items() if name not in case.exceptions for breach in body(case)]


@rule
def arity(case: Case) -> Iterator[str]:
    """Blobs too few or too many are refused with the layer's name and both numbers."""
    cls, values = case.type, case.values() or [np.ones((2, 3))]
    for kind, declared in (("bottom", cls.num_bottoms), ("top", cls.num_tops)):
        least, most = declared if isinstance(declared, tuple) else (declared, declared)
        wrong = [least - 1] if least and not (kind == "top" and cls.automatic_tops) else []
        for count in wrong + ([] if most is None else [most + 1]):
            param = read_layer(case.source)
            _name(param, kind, count)
            try:
                case.build([values[min(i, len(values) - 1)] for i in range(len(param.bottom))], param)
            except NetError as error:
                if repr(param.name) not in str(error) or error.expected is None or error.got is None:
                    yield f"{count} {kind}s: the error lacks the layer, what was expected or what was got: {error}"
            except Exception as error:
                yield f"{count} {kind}s: {type(error).__name__} instead of NetError: {error}"
            else:
                yield f"{count} {kind}s are accepted"


def _name(param: Message, kind: str, count: int) -> None:
    """Give the layer `count` bottoms or tops."""
    names = getattr(param, kind)
    del names[:]
    names.extend(f"{kind}{i}" for i in range(count))


@rule
def forward_writes_tops(case: Case) -> Iterator[str]:
    """Forward changes no bottom, no parameter and no diff."""
    alone = case.build()
    alone.forward()
    blobs = {f"bottom {i}": blob for i, blob in enumerate(alone.bottom)}
    blobs |= {f"parameter {i}": blob for i, blob in enumerate(alone.layer.blobs)}
    for blob in [*blobs.values(), *alone.top]:
        blob.diff.fill(MARK)
    alone.forward()
    for (name, blob), value in zip(blobs.items(), [*alone.values, *alone.parameters], strict=True):
        if not np.array_equal(blob.data, value):
            yield f"forward changes {name}"
    for name, blob in [*blobs.items(), *((f"top {i}", blob) for i, blob in enumerate(alone.top))]:
        if np.any(blob.diff != MARK):
            yield f"forward changes the diff of {name}"


@rule
def backward_writes_diffs(case: Case) -> Iterator[str]:
    """Backward overwrites the diffs of the bottoms asked for, adds to those of parameters, and changes nothing else."""
    full = _Run(case.build())
    alone = full.alone
    for blob, value in zip([*alone.bottom, *alone.top, *alone.layer.blobs], full.data, strict=True):
        if not np.array_equal(blob.data, value, equal_nan=True):
            yield "backward changes data"
    for blob, value in zip(alone.top, full.top_diffs, strict=True):
        if not np.array_equal(blob.diff, value):
            yield "backward changes the diff of a top"
    alone.backward(full.top_diffs, full.wanted)
    for i, (blob, once) in enumerate(zip(alone.layer.blobs, full.param_diffs, strict=True)):
        if not np.allclose(blob.diff, 2 * once, rtol=1e-9, atol=1e-12):
            yield f"two backwards do not give parameter {i} twice the diff of one"
    for i in range(-1, len(full.wanted)):  # -1: none
        only = [j == i and wanted for j, wanted in enumerate(full.wanted)]
        run = _Run(case.build(), only, mark=MARK)
        for j, (diff, want) in enumerate(zip(run.bottom_diffs, full.bottom_diffs, strict=True)):
            if only[j] and not np.array_equal(diff, want):
                yield f"the diff of bottom {j} depends on what was there, or on whether other bottoms are asked for"
            viewed = any(np.may_share_memory(run.alone.bottom[j].diff, blob.diff) for blob in run.alone.top)
            if not only[j] and not viewed and np.any(diff != MARK):
                yield f"backward writes the diff of bottom {j}, which nobody asked for"


class _Run:
    """A forward and a backward, and what came of them."""

    def __init__(self, alone: Standalone, wanted: Sequence[bool] | None = None, mark: float = 0.0):
        self.alone = alone
        self.tops = alone.forward()
        self.data = [blob.data.copy() for blob in [*alone.bottom, *alone.top, *alone.layer.blobs]]
        self.wanted = alone.differentiable() if wanted is None else list(wanted)
        rng = np.random.default_rng(4)
        weights = alone.layer.loss_weights
        self.top_diffs = [np.full(top.shape, weight) if weight else rng.normal(size=top.shape)
                          for top, weight in zip(self.tops, weights, strict=True)]
        for blob in alone.bottom:
            blob.diff.fill(mark)
        for blob in alone.layer.blobs:
            blob.diff.fill(0)
        self.bottom_diffs = alone.backward(self.top_diffs, self.wanted)
        self.param_diffs = [blob.diff.copy() for blob in alone.layer.blobs]

    def differs(self, other: _Run, rtol: float = 0.0) -> str:
        """What is not equal in both runs, or ''; rtol is relative to the largest number of an array."""
        for name in ("tops", "bottom_diffs", "param_diffs"):
            for i, (a, b) in enumerate(zip(getattr(self, name), getattr(other, name), strict=True)):
                scale = abs(a).max(initial=0.0) if rtol else 0.0
                if a.shape != b.shape or not np.allclose(a, b, rtol=0, atol=rtol * scale, equal_nan=True):
                    return f"{name}[{i}]"
        return ""


@rule
def keeps_arrays(case: Case) -> Iterator[str]:
    """Forward and backward leave bottoms and parameters the arrays that they were: a top may share, a bottom not."""
    alone = case.build()
    alone.forward()
    blobs = {f"bottom {i}": blob for i, blob in enumerate(alone.bottom)}
    blobs |= {f"parameter {i}": blob for i, blob in enumerate(alone.layer.blobs)}
    arrays = {name: (blob.data, blob.diff) for name, blob in blobs.items()}
    _Run(alone)
    for name, blob in blobs.items():
        for what, before in zip(("data", "diff"), arrays[name], strict=True):
            if getattr(blob, what) is not before:
                yield f"the {what} of {name} is another array after a pass"


@rule
def in_place(case: Case) -> Iterator[str]:
    """A layer that may work in place gives the same numbers there; any other refuses it."""
    param, cls = read_layer(case.source), case.type
    if not param.bottom or not param.top:
        return
    param.top[0] = param.bottom[0]
    if not cls.in_place:
        try:
            case.build(param=param)
        except NetError:
            return
        yield "works in place though in_place is False"
        return
    what = _Run(case.build()).differs(_Run(case.build(param=param)))
    if what:
        yield f"{what} differ in place"


@rule
def reshape(case: Case) -> Iterator[str]:
    """Another batch size gives what a new layer of that size gives; the first size again, the first numbers again."""
    values = case.values()
    if not values or not values[0].shape:
        return
    rows = len(values[0])
    more = [np.concatenate([value, value[:1]]) if len(value) == rows else value for value in values]
    first, alone = _Run(case.build()), case.build()
    _Run(alone)
    alone.values = more
    try:
        what = _Run(alone).differs(_Run(case.build(more)))
    except ShapeError as error:
        what = f"the results ({error})"
    if what:
        yield f"{what} of a larger batch are not those of a new layer"
    alone.values = values
    what = _Run(alone).differs(first)
    if what:
        yield f"{what} of the first batch size differ after another"


@rule
def empty_batch(case: Case) -> Iterator[str]:
    """A batch of no rows works, or is a ShapeError."""
    values = [value[:0] for value in case.values() if value.shape]
    if len(values) != len(case.bottoms) or not values:
        return
    try:
        with np.errstate(all="raise"):
            run = _Run(case.build(values))
    except ShapeError:
        return
    except Exception as error:
        yield f"{type(error).__name__} for a batch of no rows: {error}"
        return
    if not all(np.isfinite(array).all() for array in [*run.tops, *run.bottom_diffs, *run.param_diffs]):
        yield "a batch of no rows gives numbers that are not finite"


@rule
def dtypes(case: Case) -> Iterator[str]:
    """float32 and float64 give the same numbers, but for rounding, in arrays of their kind."""
    double, single = _Run(case.build()), _Run(case.build(dtype="float32"))
    for dtype, run in (("float64", double), ("float32", single)):
        if any(blob.data.dtype != dtype for blob in [*run.alone.top, *run.alone.layer.blobs]):
            yield f"arrays are not {dtype}"
    what = double.differs(single, rtol=1e-4)
    if what:
        yield f"{what} differ in float32"


@rule
def repeatable(case: Case) -> Iterator[str]:
    """The same seed and step give the same numbers, whatever was computed meanwhile."""
    first, again = case.build(), case.build()
    tops = first.forward()
    for name, alone in (("a new layer", again), ("the same layer", first)):
        alone.layer.context.step = 1
        alone.forward()
        alone.layer.context.step = 0
        if not all(np.array_equal(a, b, equal_nan=True) for a, b in zip(tops, alone.forward(), strict=True)):
            yield f"{name} gives other numbers at the same step"


@rule
def gradient(case: Case) -> Iterator[str]:
    """Backward is the derivative of forward."""
    results = check_layer(case.source, *case.values(), phase=case.phase, python_layers=case.python_layers)
    if not all(result.passed for result in results):
        yield "\n" + format_table(results)


@rule
def formula(case: Case) -> Iterator[str]:
    """Forward is what the formula of the page says, or what the case expects, in float64."""
    result = check_forward(case.build(), case.expected)
    if not result.passed:
        yield result.note
