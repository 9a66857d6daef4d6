"""Arrays of both devices: their type, the module they belong to, their way to the CPU, their shapes and numbers."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import TypeAlias

import numpy as np

from blobnet.backend.devices import cupy_module

# An array of a device, numpy.ndarray or cupy.ndarray. A type checker takes both for NumPy's, whose methods CuPy's have.
Array: TypeAlias = np.ndarray


def array_module(array: object) -> ModuleType:
    """numpy or cupy, whichever `array` belongs to."""
    cupy = None if isinstance(array, (np.ndarray, np.generic)) else cupy_module()
    return np if cupy is None else cupy.get_array_module(array)


def to_host(array: Array) -> np.ndarray:
    """`array` as a NumPy array; it is copied if it lies on a GPU."""
    return array if isinstance(array, np.ndarray) else array.get() if hasattr(array, "get") else np.asarray(array)


def as_numbers(value: object, xp: ModuleType = np) -> Array | None:
    """`value` as an array of `xp`; None if it does not hold numbers, as a text, or rows of different lengths."""
    try:
        array = xp.asarray(value)
    except (TypeError, ValueError):
        return None
    return array if array.dtype.kind in "biuf" else None


def whole_limit(dtype: np.dtype) -> int:
    """2^24 for float32, 2^53 for float64: below it, every whole number can be told from the next."""
    return 1 << np.finfo(dtype).nmant + 1


def folded(shape: Sequence[int], *cuts: int) -> tuple[int, ...]:
    """`shape` with the axes between one cut and the next folded into one; cuts are axes from 0 on, ascending.

    One cut gives (rows, length), the cuts `axis, axis + 1` give (outer, axis, inner).

    >>> folded((2, 3, 4, 5), 1), folded((2, 3, 4, 5), 2, 3), folded((2, 3), 0, 2)
    ((2, 60), (6, 4, 5), (1, 6, 1))
    """
    return tuple(math.prod(shape[a:b]) for a, b in zip((0, *cuts), (*cuts, len(shape))))


class twin:
    """Lets a NumPy kernel have a twin on the GPU: a function of the same signature, registered with `@body.cuda`.

    The first argument, an array, decides which of them runs. Without a twin the body serves both devices; it then asks
    `array_module` for the functions of its arrays.
    """

    def __init__(self, body: Callable):
        functools.update_wrapper(self, body)
        self._body, self._cuda = body, body

    def __call__(self, array: Array, *args, **kwargs):
        return (self._body if array_module(array) is np else self._cuda)(array, *args, **kwargs)

    def cuda(self, function: Callable) -> Callable:
        """Make `function` the twin on the GPU."""
        self._cuda = function
        return function
