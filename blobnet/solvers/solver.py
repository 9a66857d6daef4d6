"""Solver: the base class of every solver type, which owns the training loop."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable
from types import SimpleNamespace

import numpy as np

from blobnet.backend import Array, cut, scratch, share, single_threaded_blas, to_host
from blobnet.core.parameters import Parameter
from blobnet.errors import BlobnetError, SolverError
from blobnet.log.loggers import iterations
from blobnet.ops.cuda.updates import Settings
from blobnet.solvers import finite
from blobnet.solvers.device import on_device
from blobnet.solvers.evaluation import evaluate, loss_weights, outputs_of
from blobnet.solvers.flat_update import FlatUpdate, kernel_of
from blobnet.solvers.lr_policy import learning_rate, next_step
from blobnet.solvers.regularize import REGULARIZERS, clip_factor, log_clipping
from blobnet.solvers.schedule import is_due, is_test_due
from blobnet.solvers.snapshot import check_destination
from blobnet.solvers.training import Training

log = logging.getLogger(__name__)
PIECE = 1 << 15  # elements that are updated at a time on the CPU, so that all arrays of a piece stay in its cache


class Solver(Training):
    """Trains a net as a SolverParameter says.

    A solver type is a subclass decorated with `@register_solver`, which writes what `SolverType` lists. `Training` says
    what a solver consists of.
    """

    def solve(self, resume_file: str | os.PathLike | None = None) -> None:
        """Train up to max_iter, after `restore(resume_file)` if it is given; snapshot, display and test at the end.

        SolverError, and no snapshot, where the loss, a gradient or a test result is not finite, unless `allow_nan`; and
        if another run writes snapshots to the same prefix.
        """
        param = self.param
        if not param.HasField("max_iter"):
            raise SolverError(self.where, "no max_iter", hint="add max_iter: …, or call step(n)")
        first = self.together.first
        if param.snapshot_after_train and first:
            check_destination(param, self.where)
        writes = first and (param.snapshot or param.snapshot_after_train)
        with self.together.ending(), self._lock.held(param.snapshot_prefix, writes):
            log.info("Solving %s", self.net.name)
            log.info("Learning Rate Policy: %s", param.lr_policy)
            if resume_file is not None:
                log.info("Restoring previous solver status from %s", resume_file)
                self.restore(resume_file)
            self.step(param.max_iter - self.iter)
            if param.snapshot_after_train and not is_due(self.iter, param.snapshot):
                self.snapshot()
            if self.stopped:
                log.info("Optimization stopped early.")
                return
            if is_due(self.iter, param.display):  # shows the loss after the last update
                if self.net.fed is not None:
                    self.net.seek(self.net.context.step - 1)  # on the last batch: there may be no other
                self.net.forward()
                self._take(self.iter, self.together.processes.mean(self.net.loss))
                iterations.info("Iteration %d, loss = %g", self.iter, self.smoothed_loss)
                self.net.seek(self.iter * param.iter_size)
            if is_due(self.iter, param.test_interval):
                self.test_all()
            self.stop_requested = False
            self.together.processes.agree()  # the others wait here for the last test of process 0
            log.info("Optimization Done.")

    @on_device
    def step(self, n: int = 1) -> None:
        """Make `n` iterations: forward and backward iter_size times, then one update. Errors as those of `solve`."""
        param = self.param
        with self.together.ending(), self._lock.held(param.snapshot_prefix, param.snapshot and self.together.first):
            self._whole.check(self.iter, self.where)
            try:
                if self._passes.unread:  # those of a step that was cut short
                    self.settle()
                self._passes.begin()
                self._display.begin(self.iter)
                self.goal = self.iter + n
                self._iterate(n)
                self.settle()
                self._display.end(self.iter)
            except BlobnetError:
                self._go_back()
                raise
            self.stopped, self.stop_requested = self.stop_requested, False

    def _iterate(self, n: int) -> None:
        """Make `n` iterations, or fewer if a stop is requested."""
        param, processes = self.param, self.together.processes
        for _ in range(n):
            self.net.clear_param_diffs()
            if is_test_due(self.iter, param):
                self.test_all()
                if self.stop_requested and self.together.size == 1:
                    break
            self._tell("before_iteration", self.iter)
            self.net.debug_info = param.debug_info and is_due(self.iter, param.display)
            for _ in range(param.iter_size):
                self._pass()
            if self._passes.due or self.together.size > 1:
                self.settle()
            self.together.average(self.net)
            if is_due(self.iter, param.display):
                loss = self.smoothed_loss
                outputs = {name: processes.mean(to_host(self.net.blobs[name].data)) for name in self.net.outputs}
                self._display.show(self.iter, param.display, loss, outputs, loss_weights(self.net))
            if self._told["gradients_ready"]:
                self._tell("gradients_ready", self.iter, self.loss)
            self.apply_update()
            self._tell("after_update", self.iter, self.rate)
            self._tell("after_iteration", self)
            if processes.agree(self.snapshot_requested) or is_due(self.iter, param.snapshot):
                self.snapshot()
            if processes.agree(self.stop_requested):
                self.stop_requested = True  # perhaps of another process
                break

    def _pass(self) -> None:
        """Run forward and backward, and keep the loss."""
        if self._replay is not None:
            self._replay.run()
        else:
            self.net.forward()
        self._passes.keep(self.iter, self.current_step)
        if self._replay is None:
            self.net.backward()

    def _go_back(self) -> None:
        """Be at the iteration of an error that a GPU noted meanwhile: its weights are those there still are."""
        if self._passes.wrong:
            self.iter, self.current_step, step = self._passes.wrong
            self._passes.wrong = None
            if self.net.context.step > step + 1:
                self.net.seek(step + 1)

    @on_device
    def apply_update(self) -> None:
        """Update every parameter from its gradient: clip, average over iter_size, regularize, `update`, subtract.

        Afterwards the diffs of the parameters hold what was subtracted, and `iter` is one more. SolverError, and
        nothing changed, for a rate or a gradient that is not finite, unless `allow_nan`.

        On a GPU nobody waits: a gradient that is not finite is noted as a doubt, after which no update changes
        anything, and clipping is logged in iterations that are displayed.
        """
        self._passes.check_gradients(self.iter)
        self._set_rate()
        if self._flat is not None and self._flat.fits(self.history):
            with self._whole.change(), self.net.context.in_use():
                self._update_at_once(self._flat)
                self.iter += 1
            return
        self.settle()  # what follows does not know of doubts
        factor = clip_factor(self.net.parameters, self.param.clip_gradients) / self.param.iter_size
        with self._whole.change(), single_threaded_blas(), self.net.context.in_use():
            for index, parameter in enumerate(self.net.parameters):
                self._update_parameter(index, parameter, factor)
            self.iter += 1

    def _update_at_once(self, flat: FlatUpdate) -> None:
        """The update of all parameters on a GPU."""
        param = self.param
        self._write_step(flat)
        flat.apply(Settings(kernel_of(type(self)), param.weight_decay, param.regularization_type == "L1",
                            self.shares(), param.delta), param.clip_gradients)
        if param.clip_gradients >= 0 and is_due(self.iter, param.display):
            log_clipping(flat.factor() * param.iter_size, param.clip_gradients)

    def _write_step(self, flat: FlatUpdate) -> None:
        """Write where the kernels read them what changes in every iteration; `_set_rate` came before.

        All else that an update depends on stays the same, unless somebody changes `param`.
        """
        flat.write_step(self.rate, self.corrections(), 1 / self.param.iter_size)

    def _set_rate(self) -> None:
        """Let `rate` and `current_step` be those of the present iteration, and log them where that is due."""
        param, last = self.param, self.current_step
        self.current_step = next_step(self.iter, param, last)
        self.rate = learning_rate(self.iter, param, self.current_step, self.where)
        if param.lr_policy == "multistep" and self.current_step > last:
            log.info("MultiStep Status: Iteration %d, step = %d", self.iter, self.current_step)
        if is_due(self.iter, param.display):
            iterations.info("Iteration %d, lr = %g", self.iter, self.rate)
        if not self.allow_nan:
            finite.check_rate(self.rate, self.iter, self.where)

    def _update_parameter(self, index: int, parameter: Parameter, factor: float) -> None:
        number = self.net.dtype.type  # products of settings are rounded to the precision of the net
        rate = number(self.rate) * number(parameter.lr_mult)
        self.decay = number(self.param.weight_decay) * number(parameter.decay_mult)

        def update(piece: slice, buffers: list[Array]) -> None:
            values, gradient, *history = (array[piece] for array in flat)
            term = buffers[0][:values.size]
            if factor != 1:
                gradient *= factor
            if not self.decoupled_decay:
                self.regularize(values, gradient, term)
            self.update(rate, values, gradient, term, *history)
            values -= gradient

        arrays = parameter.blob.data, parameter.blob.diff, *self.history[index::len(self.net.parameters)]
        flat, xp = [array.reshape(-1) for array in arrays], self.net.xp
        whole = self.whole_parameters or xp is not np
        share(update, [slice(0, flat[0].size)] if whole else cut(flat[0].size, PIECE, PIECE),
              lambda size: scratch(xp, ((size,), self.net.dtype)))

    def regularize(self, values, gradient, scratch) -> None:
        """Add the derivative of the weight decay to `gradient`: decay * values (L2) or decay * sign(values) (L1)."""
        if self.decay:
            REGULARIZERS[self.param.regularization_type](self.decay, values, gradient, scratch)

    # Testing.

    @on_device
    def test_all(self) -> list[dict[str, np.ndarray]]:
        """Run every test net for its test_iter batches, log and return the mean of every output by name.

        With eval_type: "detection" the mean average precision takes the place of the mean. Ends early, with the results
        it has, if `request_stop` is called meanwhile.
        """
        self.settle()
        results = []
        for k, (net, batches) in enumerate(zip(self.test_nets, self.param.test_iter)):
            if not self.stop_requested:
                if net.fed is not None:
                    net.fed.seek(0)
                results.append(evaluate(net, batches, outputs_of(self.param), k, self.iter, self.where, self._goes_on,
                                        self.param.test_compute_loss, self.allow_nan))
        if results and not self.stop_requested:
            self.tested.add(self.iter, results)
            self._tell("after_test", self, results)
        return results

    def _goes_on(self) -> bool:
        """Whether no stop is requested. Writes a snapshot first if one is requested."""
        if self.snapshot_requested:
            self.snapshot()
        return not self.stop_requested

    # Batches of a user.

    def feed(self, batches: Iterable | None, *test_batches: Iterable | None) -> None:
        """Train on `batches` from now on, one a forward pass (iter_size an iteration), and test on `test_batches`.

        See Net.feed for what batches may be. test_batches: one iterable for each test net, or none at all; a test
        starts it anew if it can be iterated again; SolverError for another number of them. Where None is given, the net
        reads its own data. Several processes that train together are each fed their own part; process 0 tests.
        A snapshot does not hold the place in an iterable. What is restored goes on with the weights, the rate, the
        history and the random numbers of the run that was left, but with the batches that come next here: for the same
        training bit for bit give batches that begin with number `iter` * iter_size.
        """
        if test_batches and self.together.first and len(test_batches) != len(self.test_nets):
            raise SolverError(self.where, "batches to test with", expected=f"{len(self.test_nets)}, one a test net",
                              got=len(test_batches))
        self.net.feed(batches, self.param.iter_size)
        for net, given in zip(self.test_nets, test_batches or [None] * len(self.test_nets)):
            net.feed(given)

    # Requests and callbacks.

    def request_stop(self) -> None:
        """Let the training end after the present iteration; may be called from a signal handler or another thread."""
        self.stop_requested = True

    def add_callback(self, on_start: Callable[[], object] | None = None,
                     on_gradients_ready: Callable[[], object] | None = None) -> None:
        """Call `on_start` before the forward pass of every iteration, `on_gradients_ready` before every update."""
        for event, call in (("before_iteration", on_start), ("gradients_ready", on_gradients_ready)):
            if call is not None:
                self.watch(SimpleNamespace(**{event: lambda *values, call=call: call()}))
