"""The update of all parameters at once, on a GPU: their values, gradients and histories lie flat, in an array each."""

from __future__ import annotations

import operator
from collections.abc import Sequence

import numpy as np

from blobnet.backend import Array
from blobnet.core.flat import UNIT, Flat
from blobnet.core.net import Net
from blobnet.ops.cuda.updates import Layout, Settings, update_parameters, write_step
from blobnet.ops.updates import FACTOR, clip_gradients
from blobnet.solvers.solver_type import SolverType


def kernel_of(cls: type[SolverType]) -> str:
    """The kernel of a solver type; "" if it has none, or another `update` or `regularize` than the kernel computes."""
    update, regularize = (next(base for base in cls.__mro__ if name in vars(base)) for name in ("update", "regularize"))
    same = issubclass(update, regularize) and cls.decoupled_decay == vars(update).get("decoupled_decay", False)
    return vars(update).get("kernel", "") if same else ""


class FlatUpdate:
    """The flat arrays of `net` and of a solver with so many histories, and what updates them in few kernels.

    history: for every parameter a view of the first flat history in its shape, then of the second one.
    """

    def __init__(self, net: Net, num_histories: int):
        self.xp = xp = net.xp
        self._parameters, self._diffs, self._doubts = net.parameters, net.param_diffs, net.context.doubts
        self._data = data = Flat([parameter.blob for parameter in net.parameters], "data", xp, net.dtype)
        data.gather()
        self._histories = [xp.zeros(data.size, net.dtype) for _ in range(num_histories)]
        self.history = [view for array in self._histories for view in data.views(array)]
        starts, counts = np.array(data.starts, np.int64), np.array(data.counts, np.int64)
        owners = np.repeat(np.arange(len(counts), dtype=np.int32), -(-counts // UNIT))
        self._layout = Layout(xp.asarray(owners), xp.asarray(starts + counts), xp.zeros((2, len(counts)), net.dtype))
        self._multipliers: list[tuple[float, float]] = []  # as they are in the layout
        self._step = xp.zeros(4, np.float64)

    def fits(self, history: Sequence[Array]) -> bool:
        """Whether all parameters and the `history` of the solver still lie in the flat arrays."""
        return (self._data.whole() is not None and self._diffs.whole() is not None
                and len(history) == len(self.history) and all(map(operator.is_, history, self.history)))

    def write_step(self, rate: float, corrections: Sequence[float], factor: float) -> None:
        """Write on the device what changes from one iteration to the next: these numbers and the multipliers."""
        multipliers = [(parameter.lr_mult, parameter.decay_mult) for parameter in self._parameters]
        if multipliers != self._multipliers:
            table = self._layout.multipliers
            table[...] = self.xp.asarray(np.array(multipliers, table.dtype).T.copy())
            self._multipliers = multipliers
        write_step(self._step, rate, corrections, factor)

    def apply(self, settings: Settings, limit: float) -> None:
        """Update all parameters with the numbers of `write_step`; limit: of the gradients' norm, negative for none."""
        values, gradients = self._data.whole(), self._diffs.whole()
        if limit >= 0:
            clip_gradients(gradients, limit, self._step)
        update_parameters(settings, values, gradients, self._histories, self._layout, self._step, self._doubts.state)

    def factor(self) -> float:
        """By what the last update multiplied the gradients; waits for the device."""
        return float(self._step[FACTOR])
