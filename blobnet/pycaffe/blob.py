"""Blobs as pycaffe shows them: with arrays of the host.

On the CPU these are the blobs' own. On a GPU they are copies, made when they are asked for and written back before the
GPU computes again; from then on they are stale until somebody asks again, as in Caffe.
"""

from __future__ import annotations

from collections.abc import MutableSequence
from typing import Any

import numpy as np

from blobnet.core.blob import Blob as CoreBlob
from blobnet.core.shown import shown
from blobnet.pycaffe.vectors import Vector

_borrowed: dict[int, tuple] = {}  # by the id of a device array: itself, and its copy that a user may write into


def write_back() -> None:
    """Copy what users may have written on the host to the GPU. Called before everything that computes."""
    while _borrowed:
        device, host = _borrowed.popitem()[1]
        device.set(host)


class Face:
    """What pycaffe shows of a thing of the core, `core`; texts and notebooks show it as the core does."""

    __slots__ = ()
    core: Any

    def __repr__(self) -> str:
        return repr(self.core)

    def _repr_html_(self) -> str:
        for device, host in _borrowed.values():  # which stay borrowed: who looks on must not make them stale
            device.set(host)
        return shown(self.core)


class Blob(Face):
    """A blob of the core, `core`, with `data` and `diff` as NumPy arrays.

    Write into them (`blob.data[...] = x`); the arrays themselves cannot be replaced.
    """

    __slots__ = ("core", "_host")

    def __init__(self, core: CoreBlob):
        self.core = core
        self._host: dict[str, np.ndarray] = {}  # kept, so that copies need no new memory

    data = property(lambda self: self._array("data"), lambda self, value: setattr(self.core, "data", value),
                    doc="the values, which may be written into but not replaced")
    diff = property(lambda self: self._array("diff"), lambda self, value: setattr(self.core, "diff", value),
                    doc="the gradient of the loss with respect to the values, likewise")
    shape = property(lambda self: self.core.shape)
    count = property(lambda self: self.core.count)
    num = property(lambda self: self.core.num, doc="shape[0], or 1")
    channels = property(lambda self: self.core.channels, doc="shape[1], or 1")
    height = property(lambda self: self.core.height, doc="shape[2], or 1")
    width = property(lambda self: self.core.width, doc="shape[3], or 1")

    def reshape(self, *shape: int) -> None:
        """Take another shape; without arguments that of a scalar. The layers above follow in the next forward."""
        self.core.reshape(*shape)

    def _array(self, which: str) -> np.ndarray:
        core = self.core
        array = getattr(core, which)
        if core.xp is np:
            return array
        if not core.count:
            return np.empty(core.shape, core.dtype)
        memory = core.memory if which == "data" else core.diff_memory
        device = memory.array  # the whole buffer, which blobs that share values have in common
        if id(device) not in _borrowed:
            host = self._host.get(which)
            if host is None or host.size != device.size:
                self._host[which] = host = np.empty(device.size, core.dtype)
            device.get(out=host)
            _borrowed[id(device)] = device, host
        return _borrowed[id(device)][1][:core.count].reshape(core.shape)


class Faces(dict):
    """The Blob of every core blob that is looked up, always the same one."""

    def __missing__(self, core: CoreBlob) -> Blob:
        self[core] = face = Blob(core)
        return face


class RawBlobVec(Vector):
    """The bottoms or the tops of a layer."""

    kind = Blob


class BlobVec(MutableSequence):
    """The parameters of a layer."""

    def __init__(self, cores: Any):
        self._cores, self._faces = cores, Faces()

    def __len__(self) -> int:
        return len(self._cores)

    def __getitem__(self, index: Any) -> Any:
        found: Any = self._cores[index]
        return [self._faces[core] for core in found] if isinstance(index, slice) else self._faces[found]

    def __setitem__(self, index: Any, value: Any) -> None:
        self._cores[index] = [self._core(blob) for blob in value] if isinstance(index, slice) else self._core(value)

    def __delitem__(self, index: int | slice) -> None:
        del self._cores[index]

    def insert(self, index: int, value: Blob) -> None:
        """Let `value`, a blob that is there already, be a parameter too."""
        self._cores.insert(index, self._core(value))

    def add_blob(self, *shape: int) -> None:
        """Append a parameter of this shape, filled with 0; for the setup of Python layers."""
        self._cores.add_blob(*shape)

    def _core(self, blob: Blob) -> CoreBlob:
        if not isinstance(blob, Blob):
            raise TypeError(f"a parameter is a caffe.Blob, got {blob!r}; add_blob(*shape) makes one")
        self._faces[blob.core] = blob
        return blob.core

    def __repr__(self) -> str:
        return repr(list(self))
