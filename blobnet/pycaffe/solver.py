"""Solvers as pycaffe shows them."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cached_property

from blobnet.pycaffe import modes
from blobnet.pycaffe.blob import Face, write_back
from blobnet.pycaffe.net import Net, NetVec
from blobnet.solvers.lr_policy import learning_rate
from blobnet.solvers.registry import solver_class
from blobnet.solvers.settings import read_solver


class Solver(Face):
    """A solver of the core, `core`, whose nets are those of pycaffe.

    The settings in `param` are read in every iteration: what a script changes there (param.base_lr) counts. Training
    goes on where numbers are not finite, as in Caffe.
    """

    kind = ""  # the type, whatever the file says; without it the file decides

    def __init__(self, solver_file: str | os.PathLike):
        """Build the nets of a solver file on the device of set_mode_cpu or set_mode_gpu, whatever solver_mode says."""
        param = read_solver(solver_file)
        if param.random_seed < 0:
            seed = modes.next_seed()
            param.random_seed = -1 if seed is None else seed
        self.core = solver_class(self.kind or param.type, os.fspath(solver_file))(
            param, device=modes.device(), origin=solver_file, python_layers=True, allow_nan=True)  # as Caffe does

    iter = property(lambda self: self.core.iter, doc="how many updates were made")
    param = property(lambda self: self.core.param, doc="the SolverParameter")
    lr = property(lambda self: learning_rate(self.core.iter, self.core.param, self.core.current_step),
                  doc="the present learning rate")

    @cached_property
    def net(self) -> Net:
        """The net that is trained."""
        return Net.of(self.core.net)

    @cached_property
    def test_nets(self) -> NetVec:
        """The nets it is tested with, which use its parameters."""
        return NetVec(Net.of(net) for net in self.core.test_nets)

    def step(self, n: int) -> None:
        """Make `n` iterations."""
        write_back()
        self.core.step(n)

    def solve(self, resume_file: str | os.PathLike | None = None) -> None:
        """Train up to max_iter, from the .solverstate `resume_file` on if it is given."""
        write_back()
        self.core.solve(resume_file)

    def apply_update(self) -> None:
        """Update the parameters from their diffs and count the iteration, as every iteration of `step` does."""
        write_back()
        self.core.apply_update()

    def restore(self, path: str | os.PathLike) -> None:
        """Continue from a .solverstate."""
        write_back()
        self.core.restore(path)

    def snapshot(self) -> None:
        """Write the .caffemodel and the .solverstate of this iteration."""
        write_back()
        self.core.snapshot()

    def share_weights(self, net: Net) -> None:
        """Let `net` use the parameters of the net that is trained."""
        net.share_with(self.net)

    def add_callback(self, on_start: Callable[[], object] | None,
                     on_gradients_ready: Callable[[], object] | None = None) -> None:
        """Call `on_start` before the forward pass of every iteration, `on_gradients_ready` before every update."""
        self.core.add_callback(_then_write_back(on_start), _then_write_back(on_gradients_ready))


class SGDSolver(Solver):
    """Stochastic gradient descent with momentum."""

    kind = "SGD"


class NesterovSolver(SGDSolver):
    """Nesterov's accelerated gradient."""

    kind = "Nesterov"


class AdaGradSolver(SGDSolver):
    """AdaGrad."""

    kind = "AdaGrad"


class RMSPropSolver(SGDSolver):
    """RMSProp."""

    kind = "RMSProp"


class AdaDeltaSolver(SGDSolver):
    """AdaDelta."""

    kind = "AdaDelta"


class AdamSolver(SGDSolver):
    """Adam."""

    kind = "Adam"


_KINDS: list[type[Solver]] = [SGDSolver, *SGDSolver.__subclasses__()]
SOLVERS = {cls.kind: cls for cls in _KINDS}


def get_solver(solver_file: str | os.PathLike) -> Solver:
    """The solver of the type that the solver file names."""
    return SOLVERS.get(read_solver(solver_file).type, Solver)(solver_file)


def _then_write_back(run: Callable[[], object] | None) -> Callable[[], object] | None:
    def call() -> None:
        run()
        write_back()

    return call if run is not None else None
