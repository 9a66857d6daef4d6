"""a[key] and a[key] = value: places out of range wrap and are noted, masks wait, repeated places are refused."""

from __future__ import annotations

import numpy as np

import fakecupy
from fakecupy.arrays import SCALARS, host, ndarray, wrap
from fakecupy.counting import Refused, launch, site, to_device, wait, wrapped


def in_range(index, size: int):
    """The places `index` on an axis of `size`, as CuPy's kernels read them: those out of range wrap silently."""
    if np.size(index) and size and (np.min(index) < -size or np.max(index) >= size):
        wrapped[site()] += 1
    return np.asarray(index) % size if size else index


def numpy_key(array: ndarray, key) -> tuple[tuple, bool]:
    """The key for NumPy, and whether it holds arrays."""
    items, fancy, axis = list(key) if isinstance(key, tuple) else [key], False, 0
    taken = sum(_axes(item) for item in items)
    for n, item in enumerate(items):
        if isinstance(item, (list, np.ndarray)):  # CuPy copies these to the device
            item = fakecupy.asarray(item)
        if isinstance(item, ndarray):
            items[n], fancy = _places(array, item, axis), True
        elif isinstance(item, slice):
            parts = item.start, item.stop, item.step
            items[n] = slice(*(None if part is None else part.__index__() for part in parts))
        elif isinstance(item, (bool, np.bool_)):
            raise Refused("a boolean as an index")
        axis += array.ndim - taken if item is Ellipsis else _axes(item)
    return tuple(items), fancy


def _axes(item) -> int:
    """How many axes of an array an item of a key takes."""
    if item is None or item is Ellipsis:
        return 0
    return item.ndim if isinstance(item, ndarray) and item.dtype == bool else 1


def _places(array: ndarray, item: ndarray, axis: int) -> np.ndarray:
    if item.dtype.kind not in "biu":
        raise IndexError(f"arrays used as indices must be of integer or boolean type. (actual: {item.dtype.type})")
    if item.dtype != bool:
        return in_range(host(item).astype(np.int64), array.shape[axis])
    if item.shape != array.shape[axis:axis + item.ndim]:
        raise IndexError(f"boolean index did not match: {item.shape} on {array.shape} from axis {axis}")
    wait(4)  # for how many they are
    launch(2)
    return host(item)


def _no_fields(key) -> None:
    if isinstance(key, str):
        raise Refused("fields of structured arrays")


def get(array: ndarray, key) -> ndarray:
    _no_fields(key)
    key, fancy = numpy_key(array, key)
    if not fancy:
        return array._view(array._a[key if Ellipsis in key else (*key, ...)])  # of one element too: without axes
    launch(max(1, sum(isinstance(item, np.ndarray) and item.dtype != bool for item in key)))
    return wrap(host(array)[key])


def put(array: ndarray, key, value) -> None:
    _no_fields(key)
    key, fancy = numpy_key(array, key)
    if isinstance(value, ndarray):
        value = host(value)
    elif fancy and isinstance(value, (list, np.ndarray)):
        to_device(np.asarray(value).nbytes)
    elif not fancy and isinstance(value, np.ndarray) and value.ndim == 0:
        value = value.item()
    elif not fancy and not isinstance(value, SCALARS):
        raise ValueError("non-scalar numpy.ndarray cannot be used for fill")
    if fancy and np.ndim(value):
        places = np.arange(array.size).reshape(array.shape)[key].reshape(-1)
        if len(np.unique(places)) != len(places):
            raise Refused("assignment to repeated indices: on a GPU it is undefined which one wins")
    launch()
    host(array)[key] = value


ndarray.__getitem__, ndarray.__setitem__ = get, put
