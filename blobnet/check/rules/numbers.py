"""The numbers: the same in float32 and float64, the same at every repetition, those of formula and derivative."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from blobnet.check.case import Case
from blobnet.check.forward import check_forward
from blobnet.check.gradient import check_layer
from blobnet.check.results import format_table
from blobnet.check.rules.registry import rule
from blobnet.check.rules.run import Run


@rule
def dtypes(case: Case) -> Iterator[str]:
    """float32 and float64 give the same numbers, up to rounding, in arrays of that type."""
    double, single = Run(case.build()), Run(case.build(dtype="float32"))
    for dtype, run in (("float64", double), ("float32", single)):
        if any(blob.data.dtype != dtype for blob in [*run.alone.top, *run.alone.layer.blobs]):
            yield f"arrays are not {dtype}"
    what = double.differs(single, rtol=1e-4)
    if what:
        yield f"{what} differ in float32"


@rule
def repeatable(case: Case) -> Iterator[str]:
    """The same seed and step give the same numbers, whatever was computed in between."""
    first, again = case.build(), case.build()
    tops = first.forward()
    for name, alone in (("a new layer", again), ("the same layer", first)):
        alone.layer.context.step = 1
        alone.forward()
        alone.layer.context.step = 0
        if not all(np.array_equal(a, b, equal_nan=True) for a, b in zip(tops, alone.forward(), strict=True)):
            yield f"{name} gives other numbers at the same step"


@rule
def formula(case: Case) -> Iterator[str]:
    """Forward is what the formula of the page says, or what the case expects, in float64."""
    result = check_forward(case.build(), case.expected)
    if not result.passed:
        yield result.note


@rule
def gradient(case: Case) -> Iterator[str]:
    """Backward is the derivative of forward."""
    results = check_layer(case.source, *case.values(), phase=case.phase, python_layers=case.python_layers)
    if not all(result.passed for result in results):
        yield "\n" + format_table(results)
