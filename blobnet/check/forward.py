"""Forward against the formula of the page."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np

from blobnet.check.standalone import Standalone

TOLERANCE = 1e-10  # of the difference, relative to the largest number of the array
SMALL = 1e-3       # arrays of smaller numbers count as if this were their largest: they may be what is left of sums


@dataclasses.dataclass(frozen=True)
class ForwardResult:
    """How the tops of a layer compare with its formula.

    error: the largest difference, relative to the largest number of its top, or None if nothing was compared;
    note: where the first wrong number stands, or why nothing was compared.
    """

    error: float | None
    passed: bool = True
    note: str = ""


def check_forward(alone: Standalone) -> ForwardResult:
    """Compare forward with `formula`, which sees float64 copies of the bottoms and parameters, and runs first."""
    formula = getattr(alone.layer, "formula", None)
    if formula is None:
        return ForwardResult(None, note="no formula")
    if not all(value.size for value in alone.values):
        return ForwardResult(None, note="a bottom is empty")
    alone.prepare()
    with np.errstate(all="ignore"):
        wanted = formula(*(np.array(value, np.float64) for value in [*alone.values, *alone.parameters]))
    if wanted is None:
        return ForwardResult(None, note="values are drawn")
    wanted = wanted if isinstance(wanted, tuple | list) else [wanted]
    tops = alone.forward()
    if len(wanted) < len(tops):
        return ForwardResult(np.inf, False, f"the formula has {len(wanted)} of {len(tops)} tops")
    names = [*alone.layer.param.top, *(f"top {i}" for i in range(len(alone.layer.param.top), len(tops)))]
    results = [_compare(name, top, np.asarray(want)) for name, top, want in zip(names, tops, wanted)]
    wrong = [result.note for result in results if not result.passed]
    return ForwardResult(max((result.error for result in results), default=0.0), not wrong, "; ".join(wrong))


def _compare(name: str, top: np.ndarray, want: np.ndarray) -> ForwardResult:
    if top.size != want.size:
        return ForwardResult(np.inf, False, f"{name} has shape {top.shape}, the formula {want.shape}")
    want = want.reshape(top.shape)
    ordinary = abs(want)[abs(want) < np.finfo(float).max]  # not NaN, inf, or the lowest number of an empty maximum
    same = (top == want) | (np.isnan(top) & np.isnan(want))
    with np.errstate(all="ignore"):
        error = np.where(same, 0.0, abs(top - want) / max(ordinary.max(initial=0.0), SMALL))
    error[np.isnan(error)] = np.inf
    wrong = error > TOLERANCE
    return ForwardResult(float(error.max(initial=0.0)), not wrong.any(), first_wrong(
        wrong, lambda at: f"{name}{list(at)}: forward has {top[at]:.6g}, the formula {want[at]:.6g}"))


def first_wrong(wrong: np.ndarray, words: Callable[[tuple[int, ...]], str]) -> str:
    """What `words` says of the first wrong element, and how many are wrong; '' if none is."""
    if not wrong.any():
        return ""
    at = tuple(int(i) for i in np.argwhere(wrong)[0])
    return f"{words(at)}; {int(wrong.sum())} of {wrong.size} are wrong"
