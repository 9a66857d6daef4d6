"""Training: what a run consists of, from its settings to its snapshots."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping

import numpy as np
from google.protobuf.message import Message

from blobnet.backend import ALONE, Array, Processes
from blobnet.core.parameters import Parameter
from blobnet.core.replay import Replay
from blobnet.core.shown import Shown
from blobnet.core.trouble import explained, no_memory
from blobnet.core.watching import Watched
from blobnet.core.weights import none_copied
from blobnet.core.without_data import Shape
from blobnet.errors import BlobnetError, SolverError
from blobnet.netdef.ignored import log_ignored_fields
from blobnet.proto.text import dump
from blobnet.solvers import restoring, snapshot
from blobnet.solvers.device import on_device
from blobnet.solvers.display import Display
from blobnet.solvers.finite import check_snapshot
from blobnet.solvers.flat_update import FlatUpdate, kernel_of
from blobnet.solvers.losses import Losses
from blobnet.solvers.nets import build_nets, seed_of
from blobnet.solvers.passes import Passes
from blobnet.solvers.run_lock import RunLock
from blobnet.solvers.schedule import tests_before
from blobnet.solvers.settings import check_solver, choose_device, read_solver
from blobnet.solvers.solver_type import SolverType
from blobnet.solvers.state_files import State
from blobnet.solvers.tested import Tested
from blobnet.solvers.together import Together
from blobnet.solvers.whole import Whole

log = logging.getLogger(__name__)


class Training(SolverType, Watched, Shown):
    """The nets, numbers and arrays of a run: built from a SolverParameter, written to snapshots and restored from them.

    net: the net that is trained; test_nets: the nets it is tested with, which use its parameters; param: the
    SolverParameter; iter: how many updates were made; rate: the learning rate of the last one, and current_step: how
    many steps down it had taken; goal: the iteration that the last `step` or `solve` goes to; history: for every
    parameter an array of its shape, then the second array of every parameter, and so on; decay: the weight decay of the
    parameter that is being updated; random_seed: what all random numbers come from; stopped: whether the last `step` or
    `solve` ended early because of `request_stop`; tested: the outputs of the tests so far; allow_nan: whether training
    goes on, as Caffe's does, where a loss, a gradient or a test result is not finite.

    Watchers (`watch`, `watched_by`) are told before_iteration(iter), where the diffs of the parameters are 0 and the
    test of this iteration was made; gradients_ready(iter, loss), before the gradients are used; after_update(iter,
    rate), when iter is one more; after_iteration(solver), right after it; after_test(solver, results), where a test of
    all test nets came to its end, with what `test_all` returns; and after_snapshot(iter, weights, state) with the two
    paths. A function that watches is called as `function(solver)` after every iteration.
    """

    events = ("before_iteration", "gradients_ready", "after_update", "after_iteration", "after_test", "after_snapshot")
    function_event = "after_iteration"

    def __init__(self, source: str | os.PathLike | Message, device: str | None = None, dtype: str = "float32",
                 origin: str | os.PathLike | None = None, python_layers: bool = False, allow_nan: bool = False,
                 graph: bool = True, allow_tf32: bool = False, processes: Processes = ALONE,
                 inputs: Mapping[str, Shape] | None = None):
        """Build the nets of the solver file or SolverParameter `source`.

        `origin` is the file that a SolverParameter was read from, which errors then show; `python_layers` and
        `allow_tf32` as for Net; so is `inputs`, for all nets: shapes of what is fed to them in the place of their data.
        `device` is "cpu", "gpu" or "gpu:<number>"; without it, what solver_mode and device_id say, and the CPU if there
        is no GPU. Without a random_seed in the file, one is drawn. graph: whether a GPU replays iterations as a CUDA
        graph, where it can; they give the same numbers. processes: those that train together, `blobnet.processes()`;
        see `solvers/together.py`. SolverError for settings that make no sense.
        """
        super().__init__()
        file = origin if isinstance(source, Message) else source
        self.where, self.allow_nan = os.fspath(file or "solver"), allow_nan
        self.param = param = read_solver(source)
        if log.isEnabledFor(logging.INFO):
            log.info("Initializing solver from parameters:\n%s", dump(param).rstrip("\n"))
        log_ignored_fields(param)
        check_solver(param, self.where, self.needs_rate)
        self.together = Together(processes)
        self.check()
        if param.snapshot and processes.rank == 0:
            snapshot.check_destination(param, self.where)
        self.random_seed = processes.told(seed_of(param))
        self.device = choose_device(param) if device is None else device
        self.net, *self.test_nets = build_nets(param, self.random_seed, file, self.where, device=self.device,
                                               dtype=dtype, python_layers=python_layers, allow_tf32=allow_tf32,
                                               processes=processes, inputs=inputs)
        for files in param.weights:
            self.copy_from(files)
        self.iter = self.current_step = 0
        self.rate = self._loss = self._smoothed_loss = 0.0
        self._losses, self.goal, self.tested = Losses(), 0, Tested()
        self._flat = self._flat_update()
        self.history = self._flat.history[:] if self._flat is not None else [
            self._zeros(parameter) for _ in range(self.num_histories) for parameter in self.net.parameters]
        self.stopped = self.stop_requested = self.snapshot_requested = False
        self.decay = 0.0
        self._lock, self._whole = RunLock(self.where), Whole()
        self._display = Display(param.average_loss)
        self._passes = Passes(self.net, self.where, allow_nan, param.iter_size)
        self._replay = Replay(self.net) if graph and self.net.xp is not np and processes.size == 1 else None
        self.together.begin(self.net)
        log.info("Solver scaffolding done.")

    # Losses stay on a GPU until they are read here, which waits for it.

    @on_device
    def settle(self) -> None:
        """Read the losses that are still on a GPU, and raise what it found wrong: labels, losses, gradients.

        Every display, test and snapshot does it first, and every `step` last. Nothing has to be done on the CPU.
        """
        for iteration, loss in self._passes.read():
            self._take(iteration, self.together.processes.mean(loss))

    def _take(self, iteration: int, loss: float) -> None:
        self._loss, self._smoothed_loss = loss, self._display.smooth(loss)
        self._losses.add(iteration, loss)

    @property
    def loss(self) -> float:
        """The loss of the last iteration."""
        self.settle()
        return self._loss

    @property
    def smoothed_loss(self) -> float:
        """The mean loss of the last average_loss iterations."""
        self.settle()
        return self._smoothed_loss

    @property
    def losses(self) -> Losses:
        """Those of the iterations so far."""
        self.settle()
        return self._losses

    @on_device
    def _flat_update(self) -> FlatUpdate | None:
        """What updates all parameters at once; None where each is updated by itself."""
        if self.net.xp is np or not self.net.parameters or not kernel_of(type(self)):
            return None
        try:
            return FlatUpdate(self.net, self.num_histories)
        except MemoryError as error:
            raise no_memory(f"{self.where}: parameters and histories in one array each", error) from error

    @on_device
    def _zeros(self, parameter: Parameter) -> Array:
        """A history of a parameter."""
        with explained(parameter.layer.param, ""):
            return self.net.xp.zeros(parameter.blob.shape, self.net.dtype)

    def copy_from(self, files: str | os.PathLike) -> None:
        """Copy parameters into the nets from a weight file, or from several with commas between them.

        Layers are found by their names; SolverError if a file has no layer that the net has.
        """
        for file in map(str.strip, os.fspath(files).split(",")):
            log.info("Finetuning from %s", file)
            for net in self.test_nets:
                net.copy_from(file)
            copied = self.net.copy_from(file)
            if not copied:
                raise SolverError(self.where, **none_copied(file, self.net.name))
            for line in copied.lines():
                log.info("%s", line)

    def request_snapshot(self) -> None:
        """Let a snapshot be written after the present iteration (or test batch); training goes on."""
        self.snapshot_requested = True

    @on_device
    def snapshot(self, stem: str = "") -> tuple[str, str]:
        """Write `<snapshot_prefix>_iter_<iter>.caffemodel` and `.solverstate`, atomically; return the two paths.

        With a `stem` that takes the place of what is before the dot. SolverError for numbers that are not finite,
        unless `allow_nan`, and if another run writes to this prefix. Of processes that train together the first one
        writes.
        """
        self._whole.check(self.iter, self.where)
        self.settle()
        self.snapshot_requested = self.snapshot_requested and bool(stem)
        if not self.together.first:
            return snapshot.paths(self.param, self.iter, stem)
        snapshot.check_destination(self.param, self.where, stem)
        with self._lock.held(stem or self.param.snapshot_prefix):
            if not self.allow_nan:
                check_snapshot(self.net, self.history, self.iter, self.where)
            state = State(self.iter, None, self.current_step, self.history, self.random_seed,
                          processes=self.together.size, tests=self.tested.series())
            files = snapshot.save(self.param, self.net, state, stem)
        self._tell("after_snapshot", self.iter, *files)
        return files

    @on_device
    def restore(self, path: str | os.PathLike) -> None:
        """Continue from the .solverstate `path` and the weights it names, as the run that wrote it would have.

        SolverError, and nothing changed, if the state is damaged or of another net.
        """
        state = restoring.load(path, self.net, self.history, type(self).__name__)
        with self._whole.change(harmless=BlobnetError):  # copy_from checks everything before it copies anything
            if state.model is not None:
                self.net.copy_from(state.model)
            for mine, saved in zip(self.history, state.history):
                mine[...] = self.net.xp.asarray(saved)
            self.iter, self.current_step = state.iter, state.current_step
            self.tested = Tested(state.tests)
        self.together.compare(state.processes, path)
        if self.param.random_seed < 0 and state.random_seed is not None:
            self.random_seed = state.random_seed
        for i, net in enumerate([self.net, *self.test_nets]):
            net.context.seed = self.random_seed + i
        self.net.seek(self.iter * self.param.iter_size)
        for net, test_iter in zip(self.test_nets, self.param.test_iter):
            net.seek(tests_before(self.iter, self.param) * test_iter)
        log.info("Restored iteration %d from %s", self.iter, path)

    def resume(self) -> str | None:
        """Restore the latest state of the snapshot_prefix that can be restored; return its path, None if there is none.

        Logs a warning for every later state that is damaged or does not fit; raises the latest's error if all are.
        """
        return snapshot.resume(self.param.snapshot_prefix, self.restore)

    def __reduce__(self) -> tuple:
        raise SolverError(self.where, "a solver cannot be copied or pickled",
                          hint="take a snapshot(), and restore() it with another solver of the same file")

    def __repr__(self) -> str:
        return f"<{type(self).__name__} solver of net {self.net.name!r} at iteration {self.iter} on {self.device}>"
