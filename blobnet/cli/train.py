"""`blobnet train`: train a net as a solver file says."""

from __future__ import annotations

import argparse
import logging

from blobnet.errors import SolverError
from blobnet.plugins import load_plugin
from blobnet.solvers import get_solver
from blobnet.solvers.log import console, progress
from blobnet.solvers.signals import handle_signals
from blobnet.solvers.snapshot import find_latest

log = logging.getLogger(__name__)

_DESCRIPTION = """\
Train a net as a solver file says. Ctrl-C ends the training after the present iteration with a snapshot (unless
snapshot_after_train is false); SIGHUP writes a snapshot and goes on. Logs go to standard error, in the format of
Caffe's logs, or as a progress bar on a terminal."""


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Register the command."""
    parser = subparsers.add_parser("train", help="train a net", description=_DESCRIPTION)
    parser.add_argument("--solver", "-solver", required=True, metavar="SOLVER.prototxt", help="the solver file")
    start = parser.add_mutually_exclusive_group()
    start.add_argument("--snapshot", "-snapshot", metavar="FILE.solverstate", help="continue from this state")
    start.add_argument("--weights", "-weights", metavar="A.caffemodel,B.caffemodel",
                       help="start from the weights in these files, for layers of the same names")
    parser.add_argument("--resume", "-resume", action="store_true",
                        help="continue from the latest snapshot of the solver file's prefix, if there is one")
    device = parser.add_mutually_exclusive_group()
    device.add_argument("--gpu", "-gpu", type=int, metavar="N",
                        help="train on this GPU (default: as the solver file says)")
    device.add_argument("--cpu", "-cpu", action="store_true", help="train on the CPU")
    parser.add_argument("--plugin", "-plugin", action="append", default=[], metavar="FILE.py",
                        help="load layer types and solvers of your own from this file first; may be given again")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Train; the exit status, 0 also after Ctrl-C."""
    for kind, path, wrong in (("solver", args.solver, (".caffemodel", ".solverstate")),
                              ("snapshot", args.snapshot, (".caffemodel", ".prototxt")),
                              ("weights", args.weights, (".solverstate",))):
        if path and path.endswith(wrong):
            raise SolverError(f"--{kind} {path}", expected=_EXPECTED[kind], got=f"a {path[path.rindex('.'):]} file")
    for plugin in args.plugin:
        load_plugin(plugin)
    with console():
        solver = get_solver(args.solver, device="cpu" if args.cpu else None if args.gpu is None else f"gpu:{args.gpu}")
        latest = find_latest(solver.param.snapshot_prefix) if args.resume else None
        if latest or args.snapshot:
            log.info("Resuming from %s", latest or args.snapshot)
            solver.restore(latest or args.snapshot)
        elif args.weights:
            solver.copy_from(args.weights)
        log.info("Starting Optimization")
        with progress(solver), handle_signals(solver):
            solver.solve()
    return 0


_EXPECTED = {"solver": "a solver file (prototxt or YAML)", "snapshot": "a .solverstate (weights go with --weights)",
             "weights": "weights, such as a .caffemodel (states go with --snapshot)"}
