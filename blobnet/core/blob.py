"""Blob: a named pair of arrays, values and their gradients."""

from __future__ import annotations

import copy
import importlib
import math
import operator
from collections.abc import Callable, Sequence
from types import ModuleType

import numpy as np

from blobnet.backend import Array, current_device, free_memory, on_device
from blobnet.core.shown import Shown
from blobnet.errors import LESS_MEMORY, ShapeError

MAX_AXES = 32
MAX_COUNT = (1 << 63) - 1  # NumPy counts no further
READ_ONLY = "the array of a blob cannot be replaced: write into it, blob.{}[...] = x"
CHANNELS_LAST = "images are N, C, H, W: move the channels to axis 1"


def channels_last(shape: Sequence[int], given: Sequence[int]) -> bool:
    """Whether images of the shape `given`, (N, H, W, C) or (H, W, C), seem to be meant for a blob of `shape`."""
    return len(shape) == 4 and len(given) in (3, 4) and given[-1] == shape[1] != given[-3]


class Buffer:
    """A flat array, allocated at its first use and enlarged if it is too small; with an `owner`, the array of that.

    It lies on the GPU on which the thread computes that makes the buffer. With a `home`, what it allocates first is its
    place in an array that it has with others: see core/flat.py.
    """

    __slots__ = ("xp", "dtype", "array", "owner", "home", "device")

    def __init__(self, xp: ModuleType, dtype: np.dtype):
        self.xp, self.dtype, self.device = xp, dtype, current_device(xp)
        self.array: Array | None = None
        self.owner: Buffer | None = None
        self.home: Callable[[int], Array] | None = None  # gives the place for so many numbers, or another array

    def follow(self, owner: Buffer) -> None:
        """Use the memory of `owner` from now on, also if `owner` comes to follow another buffer later.

        Nothing changes if `owner` is this buffer or follows it.
        """
        link = owner
        while link is not None:
            if link is self:
                return
            link = link.owner
        self.owner, self.array = owner, None

    @property
    def root(self) -> Buffer:
        """The buffer whose array this one uses: its own, or that of the owner."""
        buffer = self
        while buffer.owner is not None:
            buffer = buffer.owner
        return buffer

    def flat(self, count: int, blob: Blob):
        """An array of at least `count` elements; growing loses the old values, as in Caffe. Errors name the blob."""
        buffer = self if self.owner is None else self.root
        if buffer.array is None or buffer.array.size < count:
            with on_device(buffer.device):
                try:
                    at_home = buffer.array is None and buffer.home is not None
                    buffer.array = buffer.home(count) if at_home else self.xp.zeros(count, self.dtype)
                except (MemoryError, ValueError) as error:  # ValueError: more than there are addresses
                    size = f"{count * self.dtype.itemsize / 2**30:g} GiB{free_memory(error)}"
                    raise ShapeError(f"{blob.name} of shape {blob.shape}", f"no memory for {count} numbers, {size}",
                                     hint=LESS_MEMORY) from None
        return buffer.array

    def __reduce__(self) -> tuple:
        return _buffer, (self.xp.__name__, self.dtype, self.array, self.owner)


class Blob(Shown):
    """`data` and `diff`, two arrays of one shape; reshaping to fewer elements keeps the memory.

    It can be copied and pickled, from a GPU too. `name` is what errors call it.

    >>> blob = Blob((2, 3))
    >>> blob.data[...] = 1
    >>> blob.reshape((6, 1)); float(blob.data.sum()), blob.num, blob.width
    (6.0, 6, 1)
    """

    __slots__ = ("xp", "dtype", "shape", "count", "name", "_data", "_diff", "_data_flat", "_diff_flat",
                 "_data_view", "_diff_view")

    def __init__(self, shape: Sequence[int] = (), xp: ModuleType = np, dtype="float32", name: str = "blob"):
        self.xp, self.dtype, self.name = xp, np.dtype(dtype), name
        self._data, self._diff = Buffer(xp, self.dtype), Buffer(xp, self.dtype)
        self.shape: tuple[int, ...] | None = None
        self.reshape(shape)

    def reshape(self, *shape) -> None:
        """Take the given shape, as one sequence or as separate integers."""
        given = shape[0] if len(shape) == 1 and not isinstance(shape[0], (int, np.integer)) else shape
        try:
            shape = tuple(map(operator.index, given))
        except TypeError:
            raise ShapeError("blob", expected="whole numbers", got=repr(given)) from None
        if shape == self.shape:
            return
        if len(shape) > MAX_AXES:
            raise ShapeError("blob", expected=f"at most {MAX_AXES} axes", got=len(shape))
        if any(dim < 0 for dim in shape):
            raise ShapeError("blob", expected="no negative dimension", got=shape)
        if math.prod(filter(None, shape)) > MAX_COUNT:
            raise ShapeError("blob", expected=f"at most {MAX_COUNT} elements", got=shape,
                             hint="smaller batches, images or numbers of outputs take less")
        self.shape, self.count = shape, math.prod(shape)
        self._data_flat = self._diff_flat = None  # the arrays of the buffers that the views are of

    @property
    def data(self):
        """The values. Write into them (`blob.data[...] = x`); the array itself cannot be replaced."""
        flat = self._data.flat(self.count, self)
        if flat is not self._data_flat:
            self._data_flat, self._data_view = flat, flat[:self.count].reshape(self.shape)
        return self._data_view

    @data.setter
    def data(self, value: object) -> None:
        raise AttributeError(READ_ONLY.format("data"))

    @property
    def diff(self):
        """The gradient of the loss with respect to the values."""
        flat = self._diff.flat(self.count, self)
        if flat is not self._diff_flat:
            self._diff_flat, self._diff_view = flat, flat[:self.count].reshape(self.shape)
        return self._diff_view

    @diff.setter
    def diff(self, value: object) -> None:
        raise AttributeError(READ_ONLY.format("diff"))

    def share_data(self, other: Blob) -> None:
        """From now on use the memory of `other.data`, also if `other` comes to use other memory later."""
        self._share("_data", other)

    def share_diff(self, other: Blob) -> None:
        """From now on use the memory of `other.diff`, in the same way."""
        self._share("_diff", other)

    def _share(self, buffer: str, other: Blob) -> None:
        if other.count != self.count or other.dtype != self.dtype:
            raise ShapeError("sharing a blob", expected=f"{self.count} elements {self.shape} of {self.dtype}",
                             got=f"{other.count} {other.shape} of {other.dtype}")
        getattr(self, buffer).follow(getattr(other, buffer))

    @property
    def memory(self) -> Buffer:
        """The memory of `data`: one and the same for all blobs that share it. It needs not be allocated yet."""
        return self._data.root

    @property
    def diff_memory(self) -> Buffer:
        """The memory of `diff`, likewise."""
        return self._diff.root

    def __reduce__(self) -> tuple:
        """Copies and pickles hold both arrays; blobs that share values share them in one pickle or deep copy too."""
        return _blob, (self.shape, self._data, self._diff, self.name)

    def __copy__(self) -> Blob:
        return copy.deepcopy(self)  # like the copy of an array, it has values of its own

    @property
    def num_axes(self) -> int:
        """How many dimensions the shape has."""
        return len(self.shape)

    def canonical_axis(self, axis: int, where: str = "blob") -> int:
        """`axis` counted from the front; negative axes count from the back."""
        if not -self.num_axes <= axis < self.num_axes:
            raise ShapeError(where, got=f"axis {axis}",
                             expected=f"an axis in [-{self.num_axes}, {self.num_axes}) of a blob of shape {self.shape}")
        return axis % self.num_axes

    def legacy_shape(self, axis: int) -> int:
        """A dimension in the four-axis reading of old Caffe: missing trailing axes are 1."""
        if self.num_axes > 4:
            raise ShapeError("num, channels, height, width", expected="at most 4 axes", got=self.shape,
                             hint="use shape")
        return self.shape[axis] if axis < self.num_axes else 1

    num = property(lambda self: self.legacy_shape(0), doc="shape[0], or 1")
    channels = property(lambda self: self.legacy_shape(1), doc="shape[1], or 1")
    height = property(lambda self: self.legacy_shape(2), doc="shape[2], or 1")
    width = property(lambda self: self.legacy_shape(3), doc="shape[3], or 1")

    def __repr__(self) -> str:
        return f"<Blob {'x'.join(map(str, self.shape)) or 'scalar'} {self.dtype}>"


def _buffer(module: str, dtype: np.dtype, array, owner: Buffer | None) -> Buffer:
    """The Buffer of a pickle, which holds the name of the array module."""
    buffer = Buffer(importlib.import_module(module), dtype)
    buffer.array, buffer.owner = array, owner
    if array is not None and not isinstance(array, np.ndarray):
        buffer.device = f"gpu:{int(array.device)}"
    return buffer


def _blob(shape: Sequence[int], data: Buffer, diff: Buffer, name: str = "blob") -> Blob:
    blob = Blob(shape, data.xp, data.dtype, name)
    blob._data, blob._diff = data, diff
    return blob
