"""cupy.ndarray: what an array is, and what all operations need: operands and results.

An array lies on one GPU. Only a thread that computes on that one may use it, though any may copy it to the host.
"""

from __future__ import annotations

import functools
from types import SimpleNamespace

import numpy as np

import fakecupy
from fakecupy import devices
from fakecupy.counting import Refused, counts, launch
from fakecupy.waiting import Waiting

SCALARS = bool, int, float, complex, np.generic


class ndarray(Waiting):
    """A NumPy array that is out of reach. Its operations are in the other pages, which `method` adds to it."""

    __slots__ = ("_a", "_base", "_device")
    __array_priority__ = 100
    __hash__ = None

    def __new__(cls, shape, dtype=float):
        return fakecupy.empty(shape, dtype)

    def __init__(self, *_, **__):
        pass

    def __del__(self):
        if self._base is None:
            devices.give_back(self._device, self.nbytes)

    def __reduce__(self):
        return from_host, (self.get(),)

    shape = property(lambda self: self._a.shape)
    dtype = property(lambda self: self._a.dtype)
    ndim = property(lambda self: self._a.ndim)
    size = property(lambda self: self._a.size)
    nbytes = property(lambda self: self._a.nbytes)
    itemsize = property(lambda self: self._a.itemsize)
    strides = property(lambda self: self._a.strides)
    flags = property(lambda self: self._a.flags)
    data = property(lambda self: SimpleNamespace(ptr=host(self).ctypes.data, device=self.device))
    base = property(lambda self: self._base)
    device = property(lambda self: fakecupy.cuda.Device(self._device))
    T = property(lambda self: self._view(self._a.T))
    real = property(lambda self: self._view(self._a.real))

    def _view(self, array: np.ndarray) -> ndarray:
        return wrap(array, self if self._base is None else self._base)

    def view(self, dtype=None, type=None):
        if dtype is not None and np.dtype(dtype).kind in "VSUOMm":
            raise Refused(f"view({dtype!r})")
        return self._view(self._a.view() if dtype is None else self._a.view(dtype))

    def astype(self, dtype, order="K", casting=None, subok=None, copy=True):
        if not copy and self.dtype == np.dtype(dtype):
            return self
        launch()
        return wrap(host(self).astype(known(dtype)))

    def copy(self, order="C"):
        launch()
        return wrap(host(self).copy(order))

    __copy__ = copy

    def __deepcopy__(self, memo):
        with self.device:
            return self.copy()

    def fill(self, value):
        if isinstance(value, np.ndarray):
            if value.shape != ():
                raise ValueError("non-scalar numpy.ndarray cannot be used for fill")
            value = value.item()
        zeros = not isinstance(value, ndarray) and value == 0 and self.flags.c_contiguous
        counts["memset" if zeros else "kernels"] += 1
        host(self).fill(host(value))

    # Called by NumPy, which gives the work to CuPy's functions of the same names, and never takes a copy.

    def __array__(self, *_, **__):
        raise TypeError("Implicit conversion to a NumPy array is not allowed. "
                        "Please use `.get()` to construct a NumPy array explicitly.")

    def __array_ufunc__(self, ufunc, method, *inputs, out=None, **kwargs):
        function = getattr(fakecupy, ufunc.__name__, None)
        if function is None or method not in ("__call__", "at", "outer"):
            return NotImplemented
        if method != "__call__":
            function = getattr(function, method)
        if out is not None:
            kwargs["out"] = out[0] if len(out) == 1 else out
        return function(*inputs, **kwargs)

    def __array_function__(self, func, types, args, kwargs):
        function = getattr(fakecupy, func.__name__, None) if func.__module__ in ("numpy", "numpy.linalg") else None
        return NotImplemented if function is None else function(*args, **kwargs)


def method(function):
    """Make a function of CuPy, whose first argument is an array, a method of arrays too."""
    @functools.wraps(function)
    def checked(a, *args, **kwargs):
        if not isinstance(a, ndarray):
            raise TypeError(f"Unsupported type {type(a)}")
        return function(a, *args, **kwargs)
    setattr(ndarray, function.__name__, checked)
    return checked


def wrap(array, base: ndarray | None = None) -> ndarray:
    """An array of the device with the memory of `array`; a view if there is a `base`."""
    array = np.asarray(array)
    device = devices.take(array.nbytes) if base is None else base._device
    made = object.__new__(ndarray)
    made._a, made._base, made._device = array, base, device
    return made


def from_host(values: np.ndarray) -> ndarray:
    """An array out of a pickle, on the present device."""
    return fakecupy.asarray(values)


def host(value):
    """The NumPy value of an operand; TypeError for what CuPy does not take, ValueError for an array of another GPU."""
    if isinstance(value, ndarray):
        if value._device != devices.current():
            raise ValueError("Array device must be same as the current device: "
                             f"array device = {value._device} while current = {devices.current()}")
        return value._a
    if isinstance(value, SCALARS):
        return value
    raise TypeError(f"Unsupported type {type(value)}")


def known(dtype) -> np.dtype:
    """The dtype, if CuPy has it: booleans, integers, floats and complex numbers."""
    dtype = np.dtype(dtype)
    if dtype.kind not in "biufc" or dtype.char in "gG":
        raise Refused(f"dtype {dtype}")
    return dtype


def result(value, out: ndarray | None = None) -> ndarray:
    """`value` as a new array of the device, or cast into `out`."""
    if out is None:
        return wrap(value)
    if not isinstance(out, ndarray):
        raise TypeError(f"Unsupported type {type(out)}: output arguments must be cupy.ndarray")
    if out.shape != np.shape(value):
        raise ValueError(f"Output shape mismatch: {out.shape}, {np.shape(value)} wanted")
    host(out)[...] = value
    return out
