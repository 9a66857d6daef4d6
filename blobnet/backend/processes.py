"""Processes that train a net together: what one of them knows of the others, and how numbers go between them."""

from __future__ import annotations

import functools
import os
from typing import Any

from blobnet.backend.devices import Array
from blobnet.errors import DeviceError

STOP, SNAPSHOT, FAILED = 1, 2, 4  # what a process may wish; of the bits of `agree`
LAUNCHERS = ("PMI_SIZE", "PMIX_RANK", "OMPI_COMM_WORLD_SIZE", "MPI_LOCALNRANKS")  # MPICH, OpenMPI, Intel's, Slurm's


class Processes:
    """A group of processes as one of its members sees it; this class is a program that trains alone.

    rank: the number of this process, from 0 on; size: how many there are.

    All members make the same calls in the same order, and each call waits for the others. A process that has an error
    calls `fail`; then whatever the others are waiting in, or call next, raises ProcessError with its message.
    """

    rank, size = 0, 1

    def agree(self, wishes: int = 0) -> int:
        """The bits that any process wishes: STOP, SNAPSHOT."""
        return wishes

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


@functools.cache
def processes() -> Processes:
    """The processes that `mpiexec -n N` started this program in; `ALONE` for a program that was started by itself.

    DeviceError if there are several and mpi4py is missing.
    """
    if not any(name in os.environ for name in LAUNCHERS):
        return ALONE
    try:
        from mpi4py import MPI
    except ImportError as error:
        raise DeviceError("mpiexec", f"mpi4py cannot be imported ({error})",
                          hint="pip install 'blobnet[mpi]'") from None
    from blobnet.backend.mpi import MpiProcesses

    return MpiProcesses(MPI.COMM_WORLD) if MPI.COMM_WORLD.size > 1 else ALONE
