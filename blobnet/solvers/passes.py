"""The losses of passes, which stay on a GPU until somebody reads them, and what a GPU found wrong meanwhile."""

from __future__ import annotations

import weakref
from typing import NamedTuple

import numpy as np

from blobnet.backend import Array, Wrong, to_host
from blobnet.core.net import Net
from blobnet.errors import SolverError
from blobnet.ops.cuda.finite import check_finite, keep_loss
from blobnet.solvers.finite import check_gradients, check_loss, refusal

MOST = 256  # losses that stay on a device


class Pass(NamedTuple):
    """The iteration of a forward pass, how many steps down the rate had taken, and the net's step before it."""

    iteration: int
    current_step: int
    step: int


class Passes:
    """The losses of the forward passes of a net, and its gradients; both are checked unless `allow_nan`.

    On the CPU a loss or gradient that is not finite is a SolverError at once. On a GPU nobody waits for that: `read`,
    which is to be called before anything is shown or kept, raises it, and all other doubts of the net. The passes from
    the wrong one on are forgotten then, and the net shows that one.

    where: the solver file; size: how many passes an iteration has; name: what errors call the loss; wrong: the pass
    that the last error on a GPU was about.
    """

    def __init__(self, net: Net, where: str, allow_nan: bool, size: int = 1, name: str = "the loss"):
        self._net = weakref.ref(net)  # whose doubts know this object: no circle is to keep its memory
        self.where, self.allow_nan, self.size, self.name = where, allow_nan, size, name
        self.wrong: Pass | None = None
        self._last: Pass | None = None  # whose loss was read
        self._passes: list[Pass] = []   # whose losses were not
        self._losses: list[float] = []  # of the first of these
        self._ring: Array | None = None  # has those of the others

    net = property(lambda self: self._net(), doc="whose passes they are")

    def begin(self) -> None:
        """Forget the passes that were not read, and what was wrong with them."""
        if self._passes:
            self.net.context.doubts.forget()
        self._passes.clear()
        self._losses.clear()

    def keep(self, iteration: int, current_step: int = 0) -> None:
        """Take the loss of the forward pass that was just made in `iteration`."""
        net = self.net
        if net.xp is np:
            if not self.allow_nan:
                check_loss(net, iteration, self.where, self.name)
            self._losses.append(net.loss)
        self._passes.append(Pass(iteration, current_step, net.context.step - 1))
        if net.xp is not np:
            self._keep_on_device(net)

    def _keep_on_device(self, net: Net) -> None:
        doubts = net.context.doubts
        if self._ring is None:
            self._ring = net.xp.empty(MOST, np.float64)
        doubts.told = self._go_back
        loss = net.device_loss
        if isinstance(loss, float):  # no layer has one
            loss = net.xp.full((), loss, net.dtype)
        keep_loss(loss, self._ring, doubts, None if self.allow_nan else self._loss_error)
        if len(self._passes) - len(self._losses) == MOST:
            self._fetch()

    def check_gradients(self, iteration: int) -> None:
        """Check the gradients of the parameters, after the passes of `iteration`."""
        net = self.net
        if self.allow_nan:
            return
        last = self._passes[-1] if self._passes else self._last
        if net.xp is np or last is None or last.step != net.context.step - 1:  # a pass that was not kept
            check_gradients(net, iteration, self.where)
            return
        whole = net.param_diffs.whole()
        diffs = [parameter.blob.diff for parameter in net.parameters] if whole is None else [whole]
        for number, diff in enumerate(diffs):
            check_finite(diff, net.context.doubts, number, self._gradient_error)

    @property
    def unread(self) -> bool:
        """Whether there are passes that were not read."""
        return bool(self._passes)

    @property
    def due(self) -> bool:
        """Whether there is something to read, for which nobody has to wait: on the CPU, or after many passes."""
        return len(self._losses) >= self.size

    def read(self) -> list[tuple[int, float]]:
        """(iteration, mean loss) of all iterations that came to their end since the last time."""
        self._fetch()
        size = self.size
        count = len(self._losses) // size * size
        found = [(self._passes[i].iteration, sum(self._losses[i:i + size]) / size) for i in range(0, count, size)]
        self._last = self._passes[count - 1] if count else self._last
        del self._passes[:count], self._losses[:count]
        return found

    def _fetch(self) -> None:
        """Raise what is wrong with what a GPU did, and copy the losses that are there."""
        self.net.context.doubts.settle()
        self._copy()

    def _copy(self) -> None:
        count, last = len(self._passes) - len(self._losses), self.net.context.doubts.passes
        if count:
            ring = to_host(self._ring)
            self._losses += [float(ring[number % MOST]) for number in range(last - count, last)]

    def _go_back(self, wrong: Wrong) -> None:
        """Forget the passes from the wrong one on, or after it if its loss was right."""
        self._copy()
        kept = max(0, len(self._passes) - (self.net.context.doubts.passes - wrong.passes))
        known = [self._last, *self._passes, None][kept:]
        self.wrong = known[0 if wrong.counted else 1]
        del self._passes[kept:], self._losses[kept:]

    def _loss_error(self, wrong: Wrong) -> SolverError:
        net, made = self.net, self.wrong
        if net.context.step != made.step + 1 and net.fed is None:
            net.seek(made.step)
            net.forward()
            net.context.doubts.forget()
        return refusal(f"{self.name} is {wrong.value:g}", net, made.iteration, self.where, diffs=False)

    def _gradient_error(self, wrong: Wrong) -> SolverError:
        net, made = self.net, self.wrong
        if net.context.step != made.step + 1 and net.fed is None:
            net.clear_param_diffs()
            net.seek(made.step + 1 - self.size)
            for _ in range(self.size):
                net.forward()
                net.backward()
            net.context.doubts.forget()
        return refusal("the gradients are not finite", net, made.iteration, self.where)
