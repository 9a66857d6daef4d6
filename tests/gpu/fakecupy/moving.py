"""Other shapes and orders of arrays: views where CuPy gives views."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from fakecupy.arrays import host, method, ndarray, result, wrap
from fakecupy.counting import launch


def reshape(a, shape, order="C"):
    new = a._a.reshape(shape, order=order)
    if np.shares_memory(new, a._a) or not new.size:
        return a._view(new)
    launch()
    host(a)
    return wrap(new)


def _shape(self, *shape, order="C", copy=None):
    return reshape(self, shape[0] if len(shape) == 1 and not isinstance(shape[0], (int, np.integer)) else shape, order)


def transpose(a, axes=None):
    return a.transpose(axes)


ndarray.reshape = _shape
ndarray.transpose = lambda self, *axes: self._view(self._a.transpose(*axes))


@method
def ravel(a, order="C"):
    return reshape(a, -1)


@method
def flatten(a, order="C"):
    launch()
    return wrap(host(a).flatten(order))


@method
def swapaxes(a, axis1, axis2):
    return a._view(a._a.swapaxes(axis1, axis2))


@method
def squeeze(a, axis=None):
    return a._view(a._a.squeeze(axis))


@method
def diagonal(a, offset=0, axis1=0, axis2=1):
    return a._view(a._a.diagonal(offset, axis1, axis2))


@method
def repeat(a, repeats, axis=None):
    launch()
    return wrap(host(a).repeat(repeats, axis))


def moveaxis(a, source, destination):
    return a._view(np.moveaxis(a._a, source, destination))


def expand_dims(a, axis):
    return a._view(np.expand_dims(a._a, axis))


def broadcast_to(array, shape):
    return array._view(np.broadcast_to(array._a, shape))


def as_strided(x, shape=None, strides=None):
    return x._view(np.lib.stride_tricks.as_strided(x._a, shape, strides))


lib = SimpleNamespace(stride_tricks=SimpleNamespace(as_strided=as_strided))


def may_share_memory(a, b, max_work=None):
    return np.may_share_memory(host(a), host(b))


def tile(A, reps):
    launch()
    return wrap(np.tile(host(A), reps))


def concatenate(tup, axis=0, out=None, *, dtype=None, casting="same_kind"):
    launch(len(tup))
    return result(np.concatenate([host(array) for array in tup], axis), out)


def stack(tup, axis=0, out=None, *, dtype=None, casting="same_kind"):
    launch(len(tup))
    return result(np.stack([host(array) for array in tup], axis), out)


def vstack(tup, *, dtype=None, casting="same_kind"):
    launch(len(tup))
    return wrap(np.vstack([host(array) for array in tup]))


def hstack(tup, *, dtype=None, casting="same_kind"):
    launch(len(tup))
    return wrap(np.hstack([host(array) for array in tup]))
