"""Reductions: functions and methods with the keyword arguments of CuPy's, no more."""

from __future__ import annotations

import numpy as np

from fakecupy.arrays import host, method, result
from fakecupy.counting import launch


def _summing(name: str):
    def reduction(a, axis=None, dtype=None, out=None, keepdims=False):
        launch()
        with np.errstate(all="ignore"):
            return result(getattr(host(a), name)(axis=axis, dtype=dtype, keepdims=keepdims), out)
    reduction.__name__ = name
    return method(reduction)


def _spreading(name: str, kernels: int):
    def reduction(a, axis=None, dtype=None, out=None, ddof=0, keepdims=False):
        launch(kernels)
        return result(getattr(host(a), name)(axis=axis, dtype=dtype, ddof=ddof, keepdims=keepdims), out)
    reduction.__name__ = name
    return method(reduction)


def _choosing(name: str):
    def reduction(a, axis=None, out=None, keepdims=False):
        launch()
        if not a.size and name in ("max", "min"):  # without a result to give, it gives none; else there is no largest
            found = host(a).sum(axis=axis, keepdims=keepdims)
            if found.size:
                raise ValueError(f"zero-size array to reduction operation cupy_{name} which has no identity")
            return result(found.astype(a.dtype), out)
        return result(getattr(np, name)(host(a), axis=axis, keepdims=keepdims), out)
    reduction.__name__ = name
    return method(reduction)


def _place(name: str):
    def reduction(a, axis=None, out=None, dtype=None, keepdims=False):
        launch()
        if not a.size and not (nothing := host(a).sum(axis=axis, keepdims=keepdims)).size:
            return result(nothing.astype(np.int64), out)
        return result(getattr(np, name)(host(a), axis=axis, keepdims=keepdims), out)
    reduction.__name__ = name
    return method(reduction)


def _running(name: str):
    def reduction(a, axis=None, dtype=None, out=None):
        launch(3)
        return result(getattr(host(a), name)(axis, dtype), out)
    reduction.__name__ = name
    return method(reduction)


sum, prod, mean = map(_summing, ("sum", "prod", "mean"))
max, min, any, all = map(_choosing, ("max", "min", "any", "all"))
argmax, argmin = map(_place, ("argmax", "argmin"))
var, std = _spreading("var", 2), _spreading("std", 3)
cumsum, cumprod = map(_running, ("cumsum", "cumprod"))
amax, amin = max, min


@method
def trace(a, offset=0, axis1=0, axis2=1, dtype=None, out=None):
    launch()
    return result(host(a).trace(offset, axis1, axis2, dtype), out)


def count_nonzero(a, axis=None):
    launch()
    return result(np.count_nonzero(host(a), axis))
