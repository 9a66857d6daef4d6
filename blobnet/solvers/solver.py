"""Solver: the base class of every solver type, which owns the training loop."""

from __future__ import annotations

import contextlib
import logging
import math
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator

import numpy as np
from google.protobuf.message import Message

from blobnet.backend import cut, share, single_threaded_blas
from blobnet.core.building_log import log as building
from blobnet.core.net import Net
from blobnet.core.not_finite import all_finite, first_not_finite
from blobnet.core.parameters import Parameter
from blobnet.core.weights import none_copied
from blobnet.errors import BlobnetError, SolverError
from blobnet.netdef import net_sources, test_nets, train_net
from blobnet.proto.text import dump
from blobnet.solvers import snapshot
from blobnet.solvers.display import iterations, output_lines
from blobnet.solvers.evaluation import evaluate, tests_before
from blobnet.solvers.lr_policy import learning_rate, next_step
from blobnet.solvers.regularize import REGULARIZERS, clip_factor
from blobnet.solvers.run_lock import run_lock
from blobnet.solvers.settings import check_multipliers, check_solver, choose_device, read_solver

log = logging.getLogger(__name__)
PIECE = 1 << 15  # elements that are updated at a time on the CPU, so that the four or five arrays stay in its cache


class Solver:
    """Trains a net as a SolverParameter says.

    A solver type is a subclass decorated with `@register_solver`. It declares how many arrays it remembers for every
    parameter (`num_histories`), checks its own settings in `check`, and turns gradients into updates in `update`.

    net: the net that is trained; test_nets: those it is tested with, which use its parameters; param: the
    SolverParameter; iter: how many updates were made; rate: the learning rate of the last, and current_step how many
    steps down it had taken; loss, smoothed_loss: of the last iteration, and the mean of the last average_loss
    iterations; history: for every parameter an array of its shape, then the second array of every parameter, and so on;
    random_seed: what all random numbers come from; stopped: whether the last `step` or `solve` ended early because of
    `request_stop`; allow_nan: whether training goes on, as Caffe's does, where a loss, a gradient or a test result is
    not finite.
    """

    num_histories: int = 1
    needs_rate: bool = True  # whether there must be base_lr and lr_policy
    schema: str = ""  # .proto text that a plug-in adds: extend SolverParameter { … }

    def __init__(self, source: str | os.PathLike | Message, device: str | None = None, dtype: str = "float32",
                 origin: str | os.PathLike | None = None, python_layers: bool = False, allow_nan: bool = False):
        """Build the nets of the solver file or SolverParameter `source`.

        `origin` is the file that a SolverParameter was read from, which errors then show; `python_layers` as for Net.
        `device` is "cpu", "gpu" or "gpu:<number>"; without it, what solver_mode and device_id say, and the CPU if there
        is no GPU. Without a random_seed in the file, one is drawn. SolverError for settings that make no sense.
        `allow_nan` goes on, as Caffe does, where a loss, a gradient or a test result is not finite.
        """
        file = origin if isinstance(source, Message) else source
        self.where = os.fspath(file or "solver")
        self.allow_nan = allow_nan
        self.param = param = read_solver(source)
        if log.isEnabledFor(logging.INFO):
            log.info("Initializing solver from parameters:\n%s", dump(param).rstrip("\n"))
        check_solver(param, self.where, self.needs_rate)
        self.check()
        if param.snapshot:
            snapshot.check_destination(param, self.where)
        self.random_seed = param.random_seed
        if param.random_seed < 0:
            self.random_seed = int(np.random.SeedSequence().generate_state(1)[0])
            log.info("No random_seed given: drew %d", self.random_seed)
        self.device = choose_device(param) if device is None else device
        definitions = [train_net(param, self.where), *test_nets(param, self.where)]
        nets = []
        for i, ((net, state, path), source) in enumerate(zip(definitions, net_sources(param), strict=True)):
            building.info("%s", source)
            nets.append(Net(net, state.phase, level=state.level, stages=state.stage, device=self.device, dtype=dtype,
                            random_seed=self.random_seed + i, origin=path or file,
                            python_layers=python_layers))
        self.net, *self.test_nets = nets
        check_multipliers(self.net.parameters, self.where)
        for net in self.test_nets:
            net.share_with(self.net)
            net.debug_info = param.debug_info
        for files in param.weights:
            self.copy_from(files)
        self.iter = self.current_step = 0
        self.rate = self.loss = self.smoothed_loss = 0.0
        self.history = [self.net.xp.zeros(parameter.blob.shape, dtype)
                        for _ in range(self.num_histories) for parameter in self.net.parameters]
        self.stopped = False
        self._broken = self._locked = False  # an update was cut short; the lock of the prefix is held
        self.stop_requested = self.snapshot_requested = False
        self._callbacks: list[tuple[Callable | None, Callable | None]] = []
        self._losses: deque[float] = deque(maxlen=param.average_loss)
        self._displayed = (0, 0.0)  # iteration and time
        self._buffers = threading.local()
        log.info("Solver scaffolding done.")

    # What a solver type writes.

    def check(self) -> None:
        """Raise SolverError for settings in `self.param` that this type cannot work with."""

    def update(self, rate: float, gradient, scratch, *history) -> None:
        """Turn `gradient` into the update, in place: it is subtracted from the values afterwards.

        Called for pieces of parameters: all arrays are flat and of one length. `rate` includes the parameter's lr_mult;
        the gradient is clipped, averaged and regularized. `history` holds the pieces of the `num_histories` arrays,
        kept from one iteration to the next; `scratch` is for passing use.
        """
        raise NotImplementedError(f"{type(self).__name__} must define update")

    # Training.

    def solve(self, resume_file: str | os.PathLike | None = None) -> None:
        """Train up to max_iter, after `restore(resume_file)` if it is given; snapshot, display and test at the end.

        SolverError, and no snapshot, where the loss, a gradient or a test result is not finite, unless `allow_nan`; and
        if another run writes snapshots to the same prefix.
        """
        if not self.param.HasField("max_iter"):
            raise SolverError(self.where, "no max_iter", hint="add max_iter: …, or call step(n)")
        if self.param.snapshot_after_train:
            snapshot.check_destination(self.param, self.where)
        with self._lock(self.param.snapshot or self.param.snapshot_after_train):
            self._solve(resume_file)

    def _solve(self, resume_file: str | os.PathLike | None) -> None:
        log.info("Solving %s", self.net.name)
        log.info("Learning Rate Policy: %s", self.param.lr_policy)
        if resume_file is not None:
            log.info("Restoring previous solver status from %s", resume_file)
            self.restore(resume_file)
        self.step(self.param.max_iter - self.iter)
        if self.param.snapshot_after_train and not self._is_due(self.param.snapshot):
            self.snapshot()
        if self.stopped:
            log.info("Optimization stopped early.")
            return
        if self._is_due(self.param.display):  # shows the loss after the last update
            self.net.forward()
            self._record(self.net.loss)
            iterations.info("Iteration %d, loss = %g", self.iter, self.smoothed_loss)
            self.net.seek(self.iter * self.param.iter_size)
        if self._is_due(self.param.test_interval):
            self.test_all()
        self.stop_requested = False
        log.info("Optimization Done.")

    def step(self, n: int = 1) -> None:
        """Make `n` iterations: forward and backward iter_size times, then one update. Errors as those of `solve`."""
        with self._lock(self.param.snapshot):
            self._step(n)

    def _step(self, n: int) -> None:
        self._refuse_broken()
        param = self.param
        self._losses.clear()
        self._displayed = self.iter, time.perf_counter()
        for _ in range(n):
            self.net.clear_param_diffs()
            if self._is_due(param.test_interval) and (self.iter > 0 or param.test_initialization):
                self.test_all()
                if self.stop_requested:
                    break
            self._call(0)
            self.net.debug_info = param.debug_info and self._is_due(param.display)
            self._record(sum(self._checked_pass() for _ in range(param.iter_size)) / param.iter_size)
            if self._is_due(param.display):
                self._display()
            self._call(1)
            self.apply_update()
            if self.snapshot_requested or self._is_due(param.snapshot):
                self.snapshot()
            if self.stop_requested:
                break
        self.stopped, self.stop_requested = self.stop_requested, False

    def apply_update(self) -> None:
        """Update every parameter from its gradient: clip, average over iter_size, regularize, `update`, subtract.

        Afterwards the diffs of the parameters hold what was subtracted, and `iter` is one more. SolverError, and
        nothing changed, for a rate or a gradient that is not finite, unless `allow_nan`.
        """
        param = self.param
        self.check_gradients()
        last, self.current_step = self.current_step, next_step(self.iter, param, self.current_step)
        self.rate = learning_rate(self.iter, param, self.current_step, self.where)
        if param.lr_policy == "multistep" and self.current_step > last:
            log.info("MultiStep Status: Iteration %d, step = %d", self.iter, self.current_step)
        if self._is_due(param.display):
            iterations.info("Iteration %d, lr = %g", self.iter, self.rate)
        if not math.isfinite(self.rate) and not self.allow_nan:
            raise SolverError(self.where, f"the learning rate is {self.rate:g} at iteration {self.iter}",
                              hint="look at lr_policy, gamma and power")
        factor = clip_factor(self.net.parameters, param.clip_gradients) / param.iter_size
        with self._whole(), single_threaded_blas():  # once for all parameters
            for index, parameter in enumerate(self.net.parameters):
                self._update_parameter(index, parameter, factor)
            self.iter += 1

    # What must not happen.

    def check_gradients(self) -> None:
        """SolverError, with the first layer and blob, for gradients that are not finite, unless `allow_nan`."""
        if not self.allow_nan and not all_finite(parameter.blob.diff for parameter in self.net.parameters):
            self.refuse_not_finite("the gradients are not finite", self.net)

    def refuse_not_finite(self, problem: str, net: Net, diffs: bool = True) -> None:
        """SolverError that says where in `net` the first number that is not finite is, unless `allow_nan`."""
        if self.allow_nan:
            return
        found = first_not_finite(net.nodes, diffs)
        words = f"the first number that is not finite: {found}" if found else "all blobs are finite now, so it came " \
            "from an earlier batch or pass, or a sum grew too large"
        raise SolverError(self.where, f"training stopped at iteration {self.iter}: {problem}; {words}",
                          hint="lower base_lr or set clip_gradients; --allow-nan (allow_nan=True) goes on")

    def _checked_pass(self) -> float:
        self.net.forward()
        if not math.isfinite(self.net.loss):
            self.refuse_not_finite(f"the loss is {self.net.loss:g}", self.net, diffs=False)
        self.net.backward()
        return self.net.loss

    @contextlib.contextmanager
    def _whole(self) -> Iterator[None]:
        """If the block, which changes weights or history, is cut short, nothing but `restore` can follow."""
        self._broken = True
        yield
        self._broken = False

    def _refuse_broken(self) -> None:
        if self._broken:
            raise SolverError(self.where, f"the update of iteration {self.iter} was cut short, so the weights are "
                              "partly old and partly new", hint="restore a snapshot")

    @contextlib.contextmanager
    def _lock(self, wanted: object) -> Iterator[None]:
        """Hold the lock of the prefix while the block runs, if snapshots are `wanted`."""
        if self._locked or not wanted:
            yield
            return
        with run_lock(self.param.snapshot_prefix, self.where):
            self._locked = True
            try:
                yield
            finally:
                self._locked = False

    def _update_parameter(self, index: int, parameter: Parameter, factor: float) -> None:
        data, gradient = parameter.blob.data.reshape(-1), parameter.blob.diff.reshape(-1)
        history = [array.reshape(-1) for array in self.history[index::len(self.net.parameters)]]
        number = self.net.dtype.type  # products of settings are rounded to the precision of the net
        rate = number(self.rate) * number(parameter.lr_mult)
        decay = number(self.param.weight_decay) * number(parameter.decay_mult)
        regularize = REGULARIZERS[self.param.regularization_type]

        def part(piece: slice) -> None:
            scratch = self._scratch(piece.stop - piece.start)
            if factor != 1:
                gradient[piece] *= factor
            if decay:
                regularize(decay, data[piece], gradient[piece], scratch)
            self.update(rate, gradient[piece], scratch, *(array[piece] for array in history))
            data[piece] -= gradient[piece]

        share(part, cut(data.size, PIECE, PIECE) if self.net.xp is np else [slice(0, data.size)])

    def _scratch(self, size: int):
        """An array of this thread, of `size` elements."""
        if getattr(self._buffers, "scratch", None) is None or self._buffers.scratch.size < size:
            self._buffers.scratch = self.net.xp.empty(size, self.net.dtype)
        return self._buffers.scratch[:size]

    def _forward_backward(self) -> float:
        self.net.forward()
        self.net.backward()
        return self.net.loss

    def _record(self, loss: float) -> None:
        self._losses.append(loss)
        self.loss, self.smoothed_loss = loss, sum(self._losses) / len(self._losses)

    def _is_due(self, interval: int) -> bool:
        """Whether `iter` is a multiple of `interval`: never of 0, and of a negative one as of its size, as in Caffe."""
        return interval != 0 and self.iter % interval == 0

    def _display(self) -> None:
        (since, start), now = self._displayed, time.perf_counter()
        iterations.info("Iteration %d (%g iter/s, %gs/%d iters), loss = %g", self.iter,
                        (self.iter - since) / (now - start), now - start, self.param.display, self.smoothed_loss)
        self._displayed = self.iter, now
        for line in output_lines("Train", self.net, {name: self.net.blobs[name].data for name in self.net.outputs}):
            iterations.info("%s", line)

    # Testing.

    def test_all(self) -> list[dict[str, np.ndarray]]:
        """Run every test net for its test_iter batches, log and return the mean of every output by name.

        Ends early, with the results it has, if `request_stop` is called meanwhile.
        """
        results = []
        for k in range(len(self.test_nets)):
            if not self.stop_requested:
                results.append(evaluate(self, k))
        return results

    # Requests and callbacks.

    def request_stop(self) -> None:
        """Let the training end after the present iteration; may be called from a signal handler or another thread."""
        self.stop_requested = True

    def request_snapshot(self) -> None:
        """Have a snapshot written after the present iteration (or test batch), and go on."""
        self.snapshot_requested = True

    def add_callback(self, on_start: Callable[[], object] | None = None,
                     on_gradients_ready: Callable[[], object] | None = None) -> None:
        """Call `on_start` before the forward pass of every iteration, `on_gradients_ready` before every update."""
        self._callbacks.append((on_start, on_gradients_ready))

    def _call(self, which: int) -> None:
        for pair in self._callbacks:
            if pair[which] is not None:
                pair[which]()

    # Weights and states.

    def __reduce__(self) -> tuple:
        raise SolverError(self.where, "a solver cannot be copied or pickled",
                          hint="take a snapshot(), and restore() it with another solver of the same file")

    def copy_from(self, files: str | os.PathLike) -> None:
        """Copy parameters into the nets from a weight file, or from several with commas between them.

        Layers go by their names; SolverError if a file has none of the net's.
        """
        for file in map(str.strip, os.fspath(files).split(",")):
            log.info("Finetuning from %s", file)
            for net in self.test_nets:
                net.copy_from(file)
            if not self.net.copy_from(file):
                raise SolverError(self.where, **none_copied(file, self.net.name))

    def snapshot(self) -> tuple[str, str]:
        """Write `<snapshot_prefix>_iter_<iter>.caffemodel` and `.solverstate`, atomically; return the two paths."""
        self._refuse_broken()
        self.snapshot_requested = False
        snapshot.check_destination(self.param, self.where)
        with self._lock(True):
            return snapshot.save(self)

    def restore(self, path: str | os.PathLike) -> None:
        """Continue from the .solverstate `path` and the weights it names, as the run that wrote it would have.

        SolverError, and nothing changed, if the state is damaged or of another net.
        """
        state = snapshot.load(self, path)
        broken, self._broken = self._broken, True
        try:
            if state.model is not None:
                self.net.copy_from(state.model)
        except BlobnetError:  # everything is checked before anything is copied
            self._broken = broken
            raise
        with self._whole():
            for mine, saved in zip(self.history, state.history):
                mine[...] = self.net.xp.asarray(saved)
            self.iter, self.current_step = state.iter, state.current_step
        if self.param.random_seed < 0 and state.random_seed is not None:
            self.random_seed = state.random_seed
        for i, net in enumerate([self.net, *self.test_nets]):
            net.context.seed = self.random_seed + i
        self.net.seek(self.iter * self.param.iter_size)
        for net, test_iter in zip(self.test_nets, self.param.test_iter):
            net.seek(tests_before(self.iter, self.param) * test_iter)
        log.info("Restored iteration %d from %s", self.iter, path)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} solver of net {self.net.name!r} at iteration {self.iter} on {self.device}>"
