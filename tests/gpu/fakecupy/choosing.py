"""Choosing numbers of arrays, by places, conditions and size."""

from __future__ import annotations

import numpy as np

import fakecupy
from fakecupy.arrays import host, method, ndarray, result, wrap
from fakecupy.counting import Refused, counts, launch, wait
from fakecupy.indexing import in_range


def where(condition, x=None, y=None):
    if x is None:
        return condition.nonzero()
    launch()
    return wrap(np.where(host(condition), host(x), host(y)))


def copyto(dst, src, casting="same_kind", where=None):
    if not isinstance(dst, ndarray):
        raise TypeError("dst must be a cupy.ndarray")
    launch()
    np.copyto(host(dst), host(src), casting=casting, where=True if where is None else host(where))


@method
def take(a, indices, axis=None, out=None):
    index = np.asarray(indices if isinstance(indices, (list, tuple, np.ndarray)) else host(indices))
    launch()
    found = np.take(host(a), in_range(index, a.size if axis is None else a.shape[axis]), axis=axis)
    if out is not None and out.dtype != a.dtype:
        raise TypeError("Output dtype mismatch")
    return result(found, out)


def take_along_axis(a, indices, axis):
    launch(2 + a.ndim)
    return wrap(np.take_along_axis(host(a), in_range(host(indices), a.shape[axis]), axis))


@method
def nonzero(a):
    wait(8)
    launch(3)
    return tuple(map(wrap, host(a).nonzero()))


def flatnonzero(a):
    return a.ravel().nonzero()[0]


def unique(ar, return_index=False, return_inverse=False, return_counts=False, axis=None):
    if return_index or return_inverse or return_counts:
        raise Refused("unique with more than the values: not modelled here")
    wait(8)
    launch(5)
    return wrap(np.unique(host(ar)))


def bincount(x, weights=None, minlength=None):
    if x.ndim != 1:
        raise ValueError("object too deep for desired array")
    wait(8)  # the largest value
    if x.size:
        wait(8)  # and the sign
    launch(3)
    counts["atomic kernels"] += 1
    return wrap(np.bincount(host(x), None if weights is None else host(weights), minlength or 0))


def unravel_index(indices, dims, order="C"):
    launch(2 * len(dims))
    return tuple(map(wrap, np.unravel_index(host(indices), dims, order)))


def clip(a, a_min=None, a_max=None, out=None):
    launch()
    least, most = (None if limit is None else host(limit) for limit in (a_min, a_max))
    return result(np.clip(host(a), least, most), out)


ndarray.clip = lambda self, min=None, max=None, out=None: clip(self, min, max, out)


@method
def round(a, decimals=0, out=None):
    launch()
    return result(host(a).round(decimals), out)


def _sort(self, axis=-1, kind=None):
    if not self.ndim:
        raise Refused("sort of an array without axes")
    if not self.flags.c_contiguous:
        raise NotImplementedError("Sorting non-contiguous array is not supported.")
    launch()
    host(self).sort(axis)


ndarray.sort = _sort


def sort(a, axis=-1, kind=None):
    made = a.copy()
    made.sort(axis)
    return made


@method
def argsort(a, axis=-1, kind=None):
    launch(2 if a.ndim > 1 else 1)
    return wrap(host(a).argsort(axis, kind="stable"))


@method
def searchsorted(a, v, side="left", sorter=None):
    launch()
    return wrap(host(a).searchsorted(host(v), side))


def lexsort(keys):
    if keys.ndim != 2:
        raise NotImplementedError("Keys with the rank of three or more is not supported in lexsort")
    launch()
    return wrap(np.lexsort(host(keys)))


def isin(element, test_elements, assume_unique=False, invert=False):
    launch(2)
    return wrap(np.isin(host(element), host(test_elements), invert=invert))


@method
def scatter_add(a, slices, value):
    fakecupy.add.at(a, slices, value)


def array_equal(a1, a2, equal_nan=False):
    launch(2)
    return wrap(np.array_equal(host(a1), host(a2)))


def allclose(a, b, rtol=1e-05, atol=1e-08, equal_nan=False):
    launch(4)
    return wrap(np.allclose(host(a), host(b), rtol, atol, equal_nan))


def nan_to_num(x, copy=True, nan=0.0, posinf=None, neginf=None):
    launch()
    return wrap(np.nan_to_num(host(x)))
