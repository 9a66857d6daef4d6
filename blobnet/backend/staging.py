"""Batches on their way to a device: a GPU copies them by itself while it computes with others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

import numpy as np

from blobnet.backend.devices import Array, on_device

Values = tuple[np.ndarray, ...]
Produce = Callable[[int, Any], Values]  # makes batch n, in the arrays of another that nobody needs now
DEPTH = 2  # batches on their way at a time


class Staging:
    """Makes batches of the host, as `produce(n, reuse)` does, and writes them into arrays of the device."""

    def __init__(self, produce: Produce):
        self._produce = produce

    def __call__(self, n: int, reuse: Any) -> Any:
        """Batch `n`. In a thread that reads ahead."""
        return self._produce(n, reuse)

    def shapes(self, batch: Any) -> list[tuple[int, ...]]:
        """Of the arrays of a batch."""
        return [values.shape for values in batch]

    def write(self, batch: Any, arrays: Sequence[Array]) -> None:
        """arrays = those of the batch, of which there may be more."""
        for array, values in zip(arrays, batch):
            array[...] = values


class _Pinned:
    """A batch in memory from which a GPU copies by itself; `copied` is the event after which it may be overwritten."""

    def __init__(self, values: Values, copied: Any):
        self.values, self.copied = values, copied


class _Buffer:
    """Where a batch lies on the GPU until it is needed; `read` is the event after which it may be overwritten."""

    def __init__(self, read: Any):
        self.read = read
        self.arrays: list[Any] = []
        self.batch: _Pinned | None = None  # whose memory may not be freed while it is copied


class PinnedStaging(Staging):
    """The same for a GPU: batches are made in pinned memory, and copied on a stream of their own into a buffer."""

    def __init__(self, produce: Produce, xp: ModuleType, device: str):
        super().__init__(produce)
        self._xp, self._device = xp, device
        with on_device(device):
            self._stream = xp.cuda.Stream(non_blocking=True)
            self._buffers = [_Buffer(self._event()) for _ in range(DEPTH)]

    def _event(self) -> Any:
        return self._xp.cuda.Event(disable_timing=True)

    def __call__(self, n: int, reuse: _Pinned | None) -> _Pinned:
        with on_device(self._device):
            if reuse is None:
                reuse = _Pinned((), self._event())
            reuse.copied.synchronize()
            made = self._produce(n, reuse.values or None)
            if made is not reuse.values:
                reuse.values = tuple(self._pinned(values, old) for values, old in
                                     zip(made, reuse.values or [None] * len(made), strict=True))
            return reuse

    def _pinned(self, values: np.ndarray, old: np.ndarray | None) -> np.ndarray:
        """The values in pinned memory, that of `old` if they fit."""
        if old is None or (old.shape, old.dtype) != (values.shape, values.dtype):
            memory = self._xp.cuda.alloc_pinned_memory(max(1, values.nbytes))
            old = np.frombuffer(memory, values.dtype, values.size).reshape(values.shape)
        old[...] = values
        return old

    def shapes(self, batch: _Pinned) -> list[tuple[int, ...]]:
        return super().shapes(batch.values)

    def write(self, batch: _Pinned, arrays: Sequence[Array]) -> None:
        computing, buffer = self._xp.cuda.get_current_stream(), self._buffers.pop(0)
        self._buffers.append(buffer)
        if buffer.batch is not None:
            buffer.batch.copied.synchronize()
        buffer.batch = batch
        values = batch.values[:len(arrays)]
        if [(each.shape, each.dtype) for each in values] != [(each.shape, each.dtype) for each in buffer.arrays]:
            buffer.arrays = [self._xp.empty(each.shape, each.dtype) for each in values]
            buffer.read.record(computing)  # on which is computed what had this memory before
        self._stream.wait_event(buffer.read)
        for array, each in zip(buffer.arrays, values):
            array.set(each, stream=self._stream)
        batch.copied.record(self._stream)
        computing.wait_event(batch.copied)
        for array, copied in zip(arrays, buffer.arrays):
            array[...] = copied
        buffer.read.record(computing)
