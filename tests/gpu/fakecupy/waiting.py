"""The ways of an array to the host, each of which is a wait, and back."""

from __future__ import annotations

import operator

import numpy as np

from fakecupy.counting import Refused, to_device, wait


class Waiting:
    """These methods of an array."""

    __slots__ = ()

    def get(self, stream=None, order="C", out=None, blocking=True):
        wait(self.nbytes)
        if out is None:
            return self._a.copy()
        _fits(out, self, "obtained from")
        out[...] = self._a
        return out

    def set(self, arr, stream=None):
        _fits(arr, self, "set to")
        to_device(arr.nbytes)
        if stream is None:
            self._a[...] = arr
        else:
            stream.queued.append((arr, self._a))

    def _waiting(self, take):
        wait(self.nbytes)
        return take(self._a)

    def item(self):
        return self._waiting(lambda array: array.item())

    def tolist(self):
        return self._waiting(lambda array: array.tolist())

    def tobytes(self, order="C"):
        return self._waiting(lambda array: array.tobytes(order))

    def __bool__(self):
        return self._waiting(bool)

    def __float__(self):
        return float(self.item())

    def __int__(self):
        return int(self.item())

    def __index__(self):
        return operator.index(self.item())

    def __complex__(self):
        return complex(self.item())

    def __repr__(self):
        return self._waiting(repr)

    def __str__(self):
        return self._waiting(str)

    def __format__(self, spec):
        return self._waiting(lambda array: format(array[()], spec))

    def __len__(self):
        if not self.ndim:
            raise TypeError("len() of unsized object")
        return len(self._a)

    def __iter__(self):
        if not self.ndim:
            raise TypeError("iteration over a 0-d array")
        return (self[i] for i in range(len(self._a)))

    def __contains__(self, value):
        raise Refused("`in` goes element by element through the host")


def _fits(given, array, verb: str) -> None:
    """CuPy's errors for an array of the host that `array` is copied into, or from."""
    if not isinstance(given, np.ndarray):
        raise TypeError(f"Only numpy.ndarray can be {verb} cupy.ndarray")
    if given.dtype != array.dtype:
        raise TypeError(f"{given.dtype} array cannot be {verb} {array.dtype} array")
    if given.shape != array.shape:
        raise ValueError(f"Shape mismatch: {array.shape} on the device, {given.shape} on the host")
