"""`blobnet train`: train a net as a solver file says."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Iterable
from contextlib import AbstractContextManager, ExitStack
from types import SimpleNamespace
from typing import TextIO

from google.protobuf.message import Message

from blobnet.backend import Processes, device_module, processes
from blobnet.cli._callbacks import add_callback_flags, callbacks, check_callback_flags, search_rate
from blobnet.cli._extensions import load_extensions
from blobnet.cli._flags import add_extension_flags, add_state_flags, flag, ignore_other_flags, switch
from blobnet.cli._gpus import add_gpu_flag, add_tf32_flag, gpu_name, gpu_numbers, gpu_properties
from blobnet.cli._processes import in_processes, start_processes
from blobnet.core.nan import StopAtNotFinite
from blobnet.errors import DeviceError, SolverError
from blobnet.log.console import console, progress
from blobnet.log.log_file import log_file
from blobnet.solvers import Solver, get_solver
from blobnet.solvers.settings import choose_device, read_solver
from blobnet.solvers.signals import EFFECTS, handle_signals
from blobnet.solvers.snapshot import find_latest

log = logging.getLogger(__name__)

_DESCRIPTION = """\
Train a net as a solver file says. Ctrl-C and SIGTERM end the training after the present iteration with a snapshot
(unless snapshot_after_train is false); SIGHUP writes a snapshot and goes on. A loss, gradient or test result that is
not finite ends it with an error that names the layer. `mpiexec -n N blobnet train …` trains in N processes, each on
its own part of the data; batch_size is that of one of them. Logs go to standard error, in the format of
Caffe's logs, or as a progress bar on a terminal. Quirk: --level takes the place of the level in the solver file's
train_state even where it is not given, as in Caffe; --stage adds to its stages."""


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Register the command."""
    parser = subparsers.add_parser("train", help="train a net", description=_DESCRIPTION)
    flag(parser, "--solver", required=True, metavar="SOLVER.prototxt", help="the solver file")
    start = parser.add_mutually_exclusive_group()
    flag(start, "--snapshot", metavar="FILE.solverstate", help="continue from this state")
    flag(start, "--weights", metavar="FILE.caffemodel,…",
         help="start from the weights in these files, for layers of the same names, and not from those that the solver "
              "file names")
    switch(parser, "--resume", "continue from the latest whole snapshot of the solver file's prefix, if there is one")
    nan = parser.add_mutually_exclusive_group()
    switch(nan, "--allow_nan", "go on, as Caffe does, where a loss, gradient or test result is not finite")
    switch(nan, "--find_nan", "look at every blob as soon as it is computed, and end at the first layer that makes a "
           "number that is not finite (slower)")
    device = parser.add_mutually_exclusive_group()
    add_gpu_flag(device, "train on this GPU, or on several, a process each: 0,1 or all (default: as the solver "
                 "file says)")
    switch(device, "--cpu", "train on the CPU")
    switch(parser, "--no_graph", "let a GPU start every operation by itself, instead of an iteration as a CUDA graph "
           "(slower; the same numbers)")
    add_tf32_flag(parser)
    add_state_flags(parser)
    for name, default in (("sigint", "stop"), ("sighup", "snapshot"), ("sigterm", "stop")):
        flag(parser, f"--{name}_effect", choices=EFFECTS, default=default,
             help=f"what {name.upper()} does (default: {default})")
    add_callback_flags(parser)
    add_extension_flags(parser)
    ignore_other_flags(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Train, in as many processes as there are GPUs or as mpiexec started; the exit status, 0 also after Ctrl-C."""
    together, gpus = processes(), [] if args.cpu else gpu_numbers(args.gpu)
    if len(gpus) > 1 and together.size == 1:
        for number in gpus:
            device_module(f"gpu:{number}")  # its error is here once, and not in every process
        return start_processes(len(gpus), args.words)
    return in_processes(together, lambda: _train(args, gpus, together))


def _train(args: argparse.Namespace, gpus: list[int], together: Processes) -> int:
    """Train in this process; the exit status, 0 also after Ctrl-C or SIGTERM."""
    for kind, path, wrong in (("solver", args.solver, (".caffemodel", ".solverstate")),
                              ("snapshot", args.snapshot, (".caffemodel", ".caffemodel.h5", ".prototxt")),
                              ("weights", args.weights, (".solverstate", ".solverstate.h5"))):
        if path and path.endswith(wrong):
            raise SolverError(f"--{kind} {path}", expected=_EXPECTED[kind],
                              got=f"a {next(end for end in wrong if path.endswith(end))} file")
    check_callback_flags(args)
    watchers = callbacks(args) if together.rank == 0 else []
    load_extensions(args.plugin)
    with ExitStack() as stack:
        stack.enter_context(console(silent=together.rank > 0))
        param = read_solver(args.solver)
        param.train_state.level = args.level
        param.train_state.stage.extend(args.stage)
        latest = find_latest(param.snapshot_prefix) if args.resume else None
        state = latest or args.snapshot
        if args.log and together.rank == 0:
            stack.enter_context(log_file(args.log, append=bool(state)))
        if state or args.weights:  # take the place of the solver file's own weights
            param.weights[:] = [] if state else [args.weights]
        solver = get_solver(param, device=_device(args, param, gpus, together), origin=args.solver,
                            python_layers=args.python_layers, allow_nan=args.allow_nan, graph=not args.no_graph,
                            allow_tf32=args.tf32, processes=together)
        if args.find_nan:
            for net in [solver.net, *solver.test_nets]:
                net.watch(StopAtNotFinite())
        if latest:
            log.info("Resuming from %s", solver.resume())
        elif state:
            log.info("Resuming from %s", state)
            solver.restore(state)
        if args.find_rate:
            search_rate(solver, args)
            return 0
        log.info("Starting Optimization")
        with handle_signals(solver.request_stop, solver.request_snapshot, args.sigint_effect, args.sighup_effect,
                            args.sigterm_effect):
            solve(solver, watchers=watchers)
        log.info("Optimization Done.")  # a second time, as Caffe's program says it
    return 0


def solve(solver: Solver, stream: TextIO | None = None, watchers: Iterable[object] = ()) -> None:
    """Train up to max_iter, with a progress bar on `stream` (standard error) if it is a terminal.

    `watchers` watch meanwhile; those that are to be closed are closed at the end.
    """
    def report(*values: object) -> None:
        show(solver.iter, lambda: solver.smoothed_loss, solver.rate)

    shape = next(iter(solver.net.blobs.values())).shape
    images = (shape[0] if shape else 1) * solver.param.iter_size  # the first axis of the first blob counts the images
    together = solver.together
    if together.size > 1:
        images *= together.size
        log.info("Training in %d processes: a global batch of %d", together.size, images)
    show_bar = progress(solver.param.max_iter, solver.iter, images, stream, silent=not together.first)
    with show_bar as show, ExitStack() as stack:
        for watcher in [SimpleNamespace(before_iteration=report), *watchers]:
            if isinstance(watcher, AbstractContextManager):
                stack.enter_context(watcher)
            stack.enter_context(solver.watched_by(watcher))
        solver.solve()
        report()


def _device(args: argparse.Namespace, param: Message, gpus: list[int], together: Processes) -> str:
    """The device that this process trains on: what the flags say, or else the solver file. Logs it."""
    if len(gpus) not in (0, together.size):
        raise DeviceError(f"--gpu {','.join(map(str, gpus))}", expected=f"{together.size} GPUs, one for each process",
                          got=len(gpus))
    device = "cpu" if args.cpu else f"gpu:{gpus[together.rank]}" if gpus else choose_device(param)
    _, _, number = device.partition(":")
    if not number:
        log.info("Use CPU.")
        return device
    log.info("Using GPUs %s", number)
    known = gpu_properties()
    if int(number) < len(known):  # else the solver says that there is no such GPU
        log.info("GPU %s: %s", number, gpu_name(known[int(number)]))
    return device


_EXPECTED = {"solver": "a solver file (prototxt or YAML)", "snapshot": "a .solverstate (weights go with --weights)",
             "weights": "weights, such as a .caffemodel (states go with --snapshot)"}
