"""Forward against the formula of the page."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from blobnet.check.kernels import is_plain
from blobnet.check.page import WITHOUT_FORMULA
from blobnet.check.results import PLAIN, ForwardResult
from blobnet.check.standalone import Standalone

TOLERANCE = 1e-10  # of the difference, relative to the largest number of the array
SMALL = 1e-3       # errors are relative to no less: smaller numbers may be what rounding left of a sum that is 0


def check_forward(alone: Standalone, formula: Callable | None = None) -> ForwardResult:
    """Compare forward with `formula`, if it is None with the one of the page.

    The formula gets float64 copies of the bottoms and parameters, before forward runs: see Layer.formula.
    """
    cls = type(alone.layer)
    formula = formula or alone.layer.formula
    if formula is None:
        return ForwardResult(None, note=WITHOUT_FORMULA.get(cls.__name__) or (PLAIN if is_plain(cls) else "no formula"))
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
        return ForwardResult(np.inf, False, f"there are {len(tops)} tops, the formula has {len(wanted)}")
    names = [*alone.layer.param.top, *(f"top {i}" for i in range(len(alone.layer.param.top), len(tops)))]
    results = [_compare(name, top, np.asarray(want)) for name, top, want in zip(names, tops, wanted)]
    return ForwardResult(max((result.error for result in results), default=0.0),
                         all(result.passed for result in results), "; ".join(filter(None, (r.note for r in results))))


def _compare(name: str, top: np.ndarray, want: np.ndarray) -> ForwardResult:
    if top.size != want.size:
        return ForwardResult(np.inf, False, f"{name} has shape {top.shape}, the formula {want.shape}")
    want = want.reshape(top.shape)
    ordinary = abs(want)[abs(want) < np.finfo(float).max]  # no NaN, no inf, nor the maximum of an empty window
    same = (top == want) | (np.isnan(top) & np.isnan(want))
    with np.errstate(all="ignore"):
        error = np.where(same, 0.0, abs(top - want) / max(ordinary.max(initial=0.0), SMALL))
    error[np.isnan(error)] = np.inf
    wrong = error > TOLERANCE
    if not wrong.any():
        return ForwardResult(float(error.max(initial=0.0)))
    at = tuple(map(int, np.argwhere(wrong)[0]))
    place = f"at {name}{list(at) or ''} forward has {top[at]:.12g}, the formula {want[at]:.12g}"
    return ForwardResult(float(error.max()), False, f"{place}; {wrong.sum()} of {wrong.size} are wrong")
