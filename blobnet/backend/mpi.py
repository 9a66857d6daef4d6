"""Processes that MPI started: numbers on the host go through MPI, those on GPUs through NCCL."""

from __future__ import annotations

import functools
import os
from types import ModuleType
from typing import Any

import numpy as np

from blobnet.backend.devices import Array, array_module
from blobnet.backend.processes import ALONE, Processes
from blobnet.errors import ProcessError
from blobnet.launcher import is_launched
from blobnet.optional import require_library

WISH, FAILED = 1, 2  # what a process may say before anything is exchanged


class MpiProcesses(Processes):
    """The processes that `launcher` started together, by `mpi`, the module mpi4py.MPI.

    Before anything is exchanged, all say whether they are well. So a process that is not joins in whatever the others
    wait for, and nobody waits for ever.
    """

    def __init__(self, mpi: Any, launcher: int):
        self._mpi, self._comm, self.launcher = mpi, mpi.COMM_WORLD, launcher
        self.rank, self.size = self._comm.rank, self._comm.size
        self._said = np.zeros(1, np.int64)
        self._nccl: Nccl | None = None
        self._over = False

    def agree(self, wish: bool = False) -> bool:
        if self._most(WISH * wish) == FAILED:
            self._over = True
            messages = enumerate(self._comm.allgather(None))
            raise next(ProcessError(f"process {rank}", message) for rank, message in messages if message is not None)
        return self._said[0] == WISH

    def _most(self, said: int) -> int:
        """The greatest of what all say."""
        self._said[0] = said
        self._comm.Allreduce(self._mpi.IN_PLACE, self._said, op=self._mpi.MAX)
        return int(self._said[0])

    def fail(self, error: BaseException) -> None:
        if not self._over:
            self._over = True
            self._most(FAILED)
            self._comm.allgather(str(error) or type(error).__name__)

    def add(self, array: Array) -> None:
        self.agree()
        if array_module(array) is np:
            self._comm.Allreduce(self._mpi.IN_PLACE, array)
        else:
            self._on_gpu(array).add(array)

    def mean(self, value: Any) -> Any:
        total = np.array(value, np.float64 if np.ndim(value) == 0 else None)
        self.add(total)
        return total[()] / self.size

    def gather(self, rows: Array, out: Array) -> None:
        self.agree()
        if array_module(rows) is np:
            self._comm.Allgather(np.ascontiguousarray(rows), out)
        else:
            self._on_gpu(rows).gather(rows, out)

    def spread(self, array: Array) -> None:
        self.agree()
        if array_module(array) is np:
            self._comm.Bcast(array)
        else:
            self._on_gpu(array).spread(array)

    def told(self, value: Any) -> Any:
        self.agree()
        return self._comm.bcast(value)

    def _on_gpu(self, array: Array) -> Nccl:
        """What exchanges arrays of the GPU of this process; the first call connects the GPUs."""
        if self._nccl is None:
            xp = array_module(array)
            name = xp.cuda.nccl.get_unique_id() if self.rank == 0 else None
            self._nccl = Nccl(xp, self.size, self._comm.bcast(name), self.rank)
        return self._nccl


class Nccl:
    """Exchanges arrays of float32, float64 and int64 between GPUs, a process each, on the stream of the thread."""

    def __init__(self, xp: ModuleType, size: int, name: Any, rank: int):
        self._nccl, self._stream = xp.cuda.nccl, xp.cuda.get_current_stream
        self._comm = self._nccl.NcclCommunicator(size, name, rank)
        self._types = {"float32": self._nccl.NCCL_FLOAT32, "float64": self._nccl.NCCL_FLOAT64,
                       "int64": self._nccl.NCCL_INT64}

    def add(self, array: Any) -> None:
        """As Processes.add."""
        place = array.data.ptr
        self._comm.allReduce(place, place, array.size, self._types[array.dtype.name], self._nccl.NCCL_SUM,
                             self._stream().ptr)

    def gather(self, rows: Any, out: Any) -> None:
        """As Processes.gather; both arrays are contiguous."""
        self._comm.allGather(rows.data.ptr, out.data.ptr, rows.size, self._types[rows.dtype.name], self._stream().ptr)

    def spread(self, array: Any) -> None:
        """As Processes.spread."""
        self._comm.broadcast(array.data.ptr, array.data.ptr, array.size, self._types[array.dtype.name], 0,
                             self._stream().ptr)


@functools.cache
def processes() -> Processes:
    """The processes that `mpiexec -n N` started this program in; `ALONE` for a program that was started by itself.

    MissingLibrary if there are several and mpi4py is missing.
    """
    if not is_launched():
        return ALONE
    launcher = os.getppid()  # it may end while the import below connects the processes
    MPI = require_library("mpi4py.MPI", "mpiexec", "several processes need mpi4py", "'blobnet[mpi]'")
    return MpiProcesses(MPI, launcher) if MPI.COMM_WORLD.size > 1 else ALONE
