"""Making arrays. What np.empty leaves is NaN here, and the largest of whole numbers."""

from __future__ import annotations

import math

import numpy as np

import fakecupy
from fakecupy import devices
from fakecupy.arrays import host, known, ndarray, wrap
from fakecupy.counting import counts, launch, to_device


def _allocate(shape, dtype) -> None:
    counts["allocations"] += 1
    devices.require(math.prod(np.atleast_1d(shape).tolist()) * known(dtype).itemsize)


def empty(shape, dtype=float, order="C"):
    _allocate(shape, dtype)
    made = np.empty(shape, known(dtype), order)
    if made.dtype.kind in "fc":
        made.fill(np.nan)
    elif made.dtype.kind in "iu":
        made.fill(np.iinfo(made.dtype).max)
    return wrap(made)


def zeros(shape, dtype=float, order="C"):
    _allocate(shape, dtype)
    counts["memset"] += 1
    return wrap(np.zeros(shape, known(dtype), order))


def ones(shape, dtype=float, order="C"):
    launch()
    return wrap(np.ones(shape, known(dtype), order))


def full(shape, fill_value, dtype=None, order="C"):
    launch()
    return wrap(np.full(shape, host(fill_value), dtype, order))


def _like(a, dtype, shape) -> tuple:
    return a.shape if shape is None else shape, a.dtype if dtype is None else dtype


def empty_like(prototype, dtype=None, order="K", subok=None, shape=None):
    return empty(*_like(prototype, dtype, shape))


def zeros_like(a, dtype=None, order="K", subok=None, shape=None):
    return zeros(*_like(a, dtype, shape))


def ones_like(a, dtype=None, order="K", subok=None, shape=None):
    return ones(*_like(a, dtype, shape))


def full_like(a, fill_value, dtype=None, order="K", subok=None, shape=None):
    shape, dtype = _like(a, dtype, shape)
    return full(shape, fill_value, dtype)


def arange(start, stop=None, step=1, dtype=None):
    launch()
    return wrap(np.arange(start, dtype=dtype) if stop is None else np.arange(start, stop, step, dtype))


def eye(N, M=None, k=0, dtype=float, order="C"):
    counts["memset"] += 1
    launch()
    return wrap(np.eye(N, M, k, dtype))


def array(obj, dtype=None, copy=True, order="K", subok=False, ndmin=0, *, blocking=False):
    if isinstance(obj, ndarray):
        if not copy and (dtype is None or np.dtype(dtype) == obj.dtype):
            return obj
        launch()
        return wrap(np.array(host(obj), dtype))
    if isinstance(obj, (list, tuple)) and any(isinstance(item, ndarray) for item in obj):
        return fakecupy.stack(obj).astype(dtype or obj[0].dtype, copy=False)
    made = np.array(obj, dtype, ndmin=ndmin)
    if made.dtype.kind not in "biufc":
        raise ValueError(f"Unsupported dtype {made.dtype}")
    to_device(made.nbytes)
    return wrap(made)


def asarray(a, dtype=None, order=None, *, blocking=False, copy=None):
    return array(a, dtype, copy=False)


def ascontiguousarray(a, dtype=None):
    if not isinstance(a, ndarray):
        return asarray(a, dtype)
    if a.flags.c_contiguous and (dtype is None or a.dtype == np.dtype(dtype)):
        return a
    launch()
    return wrap(np.ascontiguousarray(host(a), dtype))


def asnumpy(a, stream=None, order="C", out=None, *, blocking=True):
    return a.get(out=out) if isinstance(a, ndarray) else np.asarray(a)


def get_array_module(*args):
    return fakecupy if any(isinstance(arg, ndarray) for arg in args) else np
