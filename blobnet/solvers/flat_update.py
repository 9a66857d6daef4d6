"""The update of all parameters at once, on a GPU: their values, gradients and histories lie flat, in an array each."""

from __future__ import annotations

import operator
from collections.abc import Sequence

import numpy as np

from blobnet.backend import Array
from blobnet.core.flat import UNIT, Flat
from blobnet.core.net import Net
from blobnet.ops.cuda.updates import Layout, Settings, update, write_step
from blobnet.ops.updates import FACTOR, judge
from blobnet.solvers.solver_type import SolverType


def kernel_of(cls: type[SolverType]) -> str:
    """The kernel that computes the `update` of a solver type; "" if it names none beside the `update` that it uses."""
    writes = [next(base for base in cls.__mro__ if name in vars(base)) for name in ("update", "regularize")]
    return vars(writes[0]).get("kernel", "") if writes[1].__name__ == "Solver" else ""


class FlatUpdate:
    """The arrays of all parameters of `net` and the few kernels that update them.

    history: for every parameter a view of the first flat history in its shape, then of the second one.
    """

    def __init__(self, net: Net, num_histories: int):
        xp, self._parameters, self._diffs, self._doubts = net.xp, net.parameters, net.param_diffs, net.context.doubts
        self._data = Flat([parameter.blob for parameter in net.parameters], "data", xp, net.dtype)
        self._data.gather()
        self._histories = [xp.zeros(self._data.size, net.dtype) for _ in range(num_histories)]
        self.history = [view for array in self._histories for view in self._data.views(array)]
        starts, counts = np.array(self._data.starts), np.array(self._data.counts)
        owners = np.repeat(np.arange(len(starts), dtype=np.int32), -(-counts // UNIT))
        self._layout = Layout(xp.asarray(owners), xp.asarray(starts + counts), xp.zeros((2, len(starts)), net.dtype))
        self._multipliers: list[tuple[float, float]] = []  # as they are in the layout
        self._step = xp.zeros(6, np.float64)

    def fits(self, history: Sequence[Array]) -> bool:
        """Whether everything still lies where it did, with the `history` of the solver: else nothing here can be used.
        """
        return (self._data.whole() is not None and self._diffs.whole() is not None
                and len(history) == len(self.history) and all(map(operator.is_, history, self.history)))

    def write_step(self, iteration: int, rate: float, corrections: Sequence[float]) -> None:
        """Write on the device what may change from one iteration to the next: these numbers, and the multipliers."""
        multipliers = [(parameter.lr_mult, parameter.decay_mult) for parameter in self._parameters]
        if multipliers != self._multipliers:
            table = self._layout.multipliers
            table[...] = self._data.xp.asarray(np.array(multipliers, table.dtype).T)
            self._multipliers = multipliers
        write_step(self._step, iteration, rate, corrections)

    def apply(self, settings: Settings, limit: float, size: int, doubt: Array | None) -> None:
        """Update all parameters, with the numbers of `write_step`; the other arguments are those of `judge`."""
        gradients = self._diffs.whole()
        judge(gradients, limit, size, self._step, doubt, self._doubts.slots)
        update(settings, self._data.whole(), gradients, self._histories, self._layout, self._step)

    def factor(self) -> float:
        """By what the last update multiplied the gradients; waits for the device."""
        return float(self._step[FACTOR])
