"""cupy.cuda.nccl, over MPI: what a communicator exchanges lies at addresses of the host here."""

from __future__ import annotations

import ctypes

import numpy as np

NCCL_INT64, NCCL_FLOAT32, NCCL_FLOAT64, NCCL_SUM = 4, 7, 8, 0
_TYPES = {NCCL_INT64: np.int64, NCCL_FLOAT32: np.float32, NCCL_FLOAT64: np.float64}
_ID = tuple(range(-64, 64))


def get_unique_id():
    return _ID


class NcclCommunicator:
    def __init__(self, ndev: int, commId: tuple, rank: int):
        from mpi4py import MPI

        self._comm, self._sum = MPI.COMM_WORLD, MPI.SUM
        assert (ndev, rank) == (self._comm.size, self._comm.rank) and commId == _ID

    def allReduce(self, sendbuf: int, recvbuf: int, count: int, datatype: int, op: int, stream: int) -> None:
        assert op == NCCL_SUM and stream
        total = np.empty(count, _TYPES[datatype])
        self._comm.Allreduce(_at(sendbuf, count, datatype), total, self._sum)
        _at(recvbuf, count, datatype)[...] = total

    def allGather(self, sendbuf: int, recvbuf: int, count: int, datatype: int, stream: int) -> None:
        assert stream
        self._comm.Allgather(_at(sendbuf, count, datatype).copy(), _at(recvbuf, count * self._comm.size, datatype))

    def broadcast(self, sendbuff: int, recvbuff: int, count: int, datatype: int, root: int, stream: int) -> None:
        assert stream
        numbers = _at(sendbuff, count, datatype).copy()
        self._comm.Bcast(numbers, root)
        _at(recvbuff, count, datatype)[...] = numbers


def _at(address: int, count: int, datatype: int) -> np.ndarray:
    """The numbers at an address of the host."""
    kind = np.dtype(_TYPES[datatype])
    return np.frombuffer((ctypes.c_char * (count * kind.itemsize)).from_address(address), kind)
