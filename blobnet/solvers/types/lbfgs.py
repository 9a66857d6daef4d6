"""L-BFGS: a whole batch, a line search, and the curvature learned from the last steps."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

import numpy as np

from blobnet.backend import single_threaded_blas
from blobnet.core.net import Net
from blobnet.core.parameters import Parameter
from blobnet.errors import SolverError
from blobnet.solvers.finite import check_gradients
from blobnet.solvers.quasi_newton import minimize
from blobnet.solvers.registry import register_solver
from blobnet.solvers.settings import refuse_momentum
from blobnet.solvers.solver import Solver
from blobnet.solvers.vector import gather, scatter

STEPS = 20    # L-BFGS steps in an iteration of the solver
MEMORY = 10   # steps whose curvature is remembered


@register_solver
class LBFGS(Solver):
    """Minimizes the loss over one batch with 20 steps of L-BFGS an iteration.

    f(values) = mean loss of iter_size forwards + sum of weight_decay * decay_mult / 2 * ||values||^2
    values <- values - t * H * f'(values), 20 times; H from the last 10 steps, t by a line search (Wolfe conditions)

    All forwards of an iteration see the same data and the same random numbers (dropout masks), so that f is a function;
    the next iteration goes on with the next data. batch_size * iter_size should therefore be the whole data set.
    A step takes one forward and backward pass, or a few where the line search must try again; an iteration ends before
    its 20 steps if f cannot be lowered further at the precision of the net (dtype="float64" goes deeper).

    History: the last 10 steps, the newest first, each before its change of the gradient; zeros where there are none
    yet. So n iterations with the same data are one of 20 n steps, and a resumed run is the uninterrupted one bit for
    bit. Who changes f, as with other inputs, fills it with zeros.
    Settings: weight_decay (L2), iter_size. No base_lr and no lr_policy are needed, as the line search sets the length
    of a step. momentum, clip_gradients and regularization_type: "L1" are refused.
    Paper: Liu and Nocedal, On the limited memory BFGS method for large scale optimization, Mathematical Programming
    1989. In double precision on the CPU, at points of the net's precision; the nets run on their own device.
    Quirks: not in Caffe. Parameters with lr_mult: 0 stay as the iteration's first iter_size forwards left them, running
    statistics of BatchNorm included; any other lr_mult is the same as 1. A loss whose published gradient is not its
    derivative misleads the line search: choose `gradient: EXACT`.
    """

    num_histories = 2 * MEMORY
    needs_rate = False

    def check(self) -> None:
        refuse_momentum(self.param, self.where, "LBFGS")
        if self.together.size > 1:
            raise SolverError(self.where, f"LBFGS trains in one process, got {self.together.size}",
                              hint="it asks for the loss many times an iteration")
        if self.param.clip_gradients >= 0:
            raise SolverError(self.where, "LBFGS cannot clip gradients", hint="remove clip_gradients")
        if self.param.regularization_type != "L2":
            raise SolverError(self.where, expected="regularization_type: \"L2\" for LBFGS",
                              got=self.param.regularization_type, hint="L1 has no derivative at 0")

    def apply_update(self) -> None:
        """Minimize over the batch that was just seen.

        Afterwards the diffs hold what was subtracted in all, and `iter` is one more. Errors as those of every solver.
        """
        self.settle()
        if not self.allow_nan:
            check_gradients(self.net, self.iter, self.where)
        with self._whole.change():
            self._minimize()
            self.iter += 1

    def _minimize(self) -> None:
        """Update the weights and the history."""
        parameters, count = self.net.parameters, len(self.net.parameters)
        learned = [parameter for parameter in parameters if parameter.lr_mult]
        others = [parameter.blob for parameter in parameters if not parameter.lr_mult]
        kept = [blob.data.copy() for blob in others]
        values, diffs = ([getattr(parameter.blob, which) for parameter in learned] for which in ("data", "diff"))
        start = best = gather(values)
        position = self.net.context.step - self.param.iter_size
        if learned:
            rows = [[self.history[i * count + j] for j in range(count) if parameters[j].lr_mult]
                    for i in range(self.num_histories)]
            vectors = [gather(row) for row in rows]
            pairs = [pair for pair in zip(vectors[::2], vectors[1::2]) if pair[0].any()]
            with single_threaded_blas():
                best = minimize(lambda point: self._objective(point, learned, position), start, STEPS, pairs, MEMORY,
                                self.net.dtype)
            for array in self.history:
                array.fill(0)
            for row, vector in zip(rows, chain.from_iterable(pairs)):
                scatter(row, vector)
        scatter(values, best)
        for blob, before in zip(others, kept):
            blob.data[...] = before
            blob.diff.fill(0)
        scatter(diffs, start - best)

    def _objective(self, values: np.ndarray, learned: Sequence[Parameter], position: int) -> tuple[float, np.ndarray]:
        """f and its derivative at `values`, over the batch that begins after `position` forwards."""
        size = self.param.iter_size
        scatter([parameter.blob.data for parameter in learned], values)
        self.net.clear_param_diffs()
        self.net.seek(position)
        loss = sum(_forward_backward(self.net) for _ in range(size)) / size
        decay = np.repeat([self.param.weight_decay * parameter.decay_mult for parameter in learned],
                          [parameter.blob.count for parameter in learned])
        gradient = gather([parameter.blob.diff for parameter in learned])
        return loss + decay.dot(values ** 2) / 2, gradient / size + decay * values


def _forward_backward(net: Net) -> float:
    net.forward()
    net.backward()
    return net.loss
