"""Processes that train a net together: what one of them knows of the others, and how numbers go between them."""

from __future__ import annotations

from typing import Any

from blobnet.backend.devices import Array


class Processes:
    """A group of processes as one of its members sees it; this class is a program that trains alone.

    rank: the number of this process, from 0 on; size: how many there are; launcher: the number that the system knows
    the process by that started this one, 0 if that does not matter.

    All members make the same calls in the same order, and each call waits for the others. A process that has an error
    calls `fail`; then whatever the others are waiting in, or call next, raises ProcessError with its message.
    """

    rank, size, launcher = 0, 1, 0

    def batch(self, n: int) -> int:
        """The number, among the batches of all, of the n-th that this process reads: they take them in turn."""
        return n * self.size + self.rank

    def agree(self, wish: bool = False) -> bool:
        """Whether any process has the wish."""
        return wish

    def add(self, array: Array) -> None:
        """Let `array`, one of each process, hold the sum of all; the bits are the same in every process."""

    def mean(self, value: Any) -> Any:
        """The mean of a number, or of an array, of each process; the array is not changed."""
        return value

    def gather(self, rows: Array, out: Array) -> None:
        """Write the `rows` (N, …) of all processes one behind the other into `out` (size * N, …)."""
        out[...] = rows

    def spread(self, array: Array) -> None:
        """Let `array`, one of each process, hold that of process 0."""

    def told(self, value: Any) -> Any:
        """What process 0 gave as `value`: a number, a text."""
        return value

    def fail(self, error: BaseException) -> None:
        """Tell the others that this process ends with `error`. Does nothing the second time."""


ALONE = Processes()
