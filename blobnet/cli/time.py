"""`blobnet time`: how long the layers of a net take."""

from __future__ import annotations

import argparse
import logging
import sys
import time

import numpy as np
from tqdm import tqdm

from blobnet.backend import single_threaded_blas
from blobnet.cli._flags import PHASES, flag, ignore_other_flags
from blobnet.cli._nets import add_net_flags, build_net
from blobnet.cli._table import table
from blobnet.core.net import Net
from blobnet.log.console import console
from blobnet.log.loggers import iterations

log = logging.getLogger(__name__)

_DESCRIPTION = """\
Run a net forward and backward and print the mean milliseconds of every layer, and of the passes. Weights do not matter
but where many zeros make layers quicker. Logs go to standard error, in the format of Caffe's logs; on a terminal a
table takes their place."""


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Register the command."""
    parser = subparsers.add_parser("time", help="time the layers of a net", description=_DESCRIPTION)
    add_net_flags(parser, weights_needed=False)
    flag(parser, "--phase", choices=PHASES, default="TRAIN", help="the phase to build it in (default: TRAIN)")
    ignore_other_flags(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Measure and report; the exit status."""
    with console():
        net = build_net(args, PHASES[args.phase])
        log.info("Performing Forward")
        net.forward()
        log.info("Initial loss: %g", net.loss)
        log.info("Performing Backward")
        net.backward()
        log.info("*** Benchmark begins ***")
        log.info("Testing for %d iterations.", args.iterations)
        layers, passes, total = measure(net, args.iterations)
        iterations.info("Average time per layer: ")
        for layer, (forward, backward) in zip(net.layers, layers):
            iterations.info("%10s\tforward: %g ms.", layer.name, forward)
            iterations.info("%10s\tbackward: %g ms.", layer.name, backward)
        iterations.info("Average Forward pass: %g ms.", passes[0])
        iterations.info("Average Backward pass: %g ms.", passes[1])
        iterations.info("Average Forward-Backward: %g ms.", total / args.iterations)
        iterations.info("Total Time: %g ms.", total)
        log.info("*** Benchmark ends ***")
    if sys.stderr.isatty():
        _print_table(net, layers, passes)
    return 0


def measure(net: Net, rounds: int) -> tuple[np.ndarray, np.ndarray, float]:
    """Milliseconds: (layers, 2), the mean forward and backward of each layer; (2,), those of all; all the time.

    A layer's forward takes up new shapes and adds up its loss; its backward is 0 where no gradient is needed.
    """
    names, clock = [layer.name for layer in net.layers], time.perf_counter
    times, passes, start = np.zeros((len(names), 2)), np.zeros(2), clock()
    with single_threaded_blas():
        for round_ in tqdm(range(rounds), unit="passes", disable=not sys.stderr.isatty()):
            marks = [clock()]
            for which, run_layer, order in ((0, net.forward, range(len(names))),
                                            (1, net.backward, reversed(range(len(names))))):
                for i in order:
                    begin = clock()
                    run_layer(names[i], names[i])
                    _wait(net)
                    times[i, which] += clock() - begin
                marks.append(clock())
            passes += np.diff(marks)
            iterations.info("Iteration: %d forward-backward time: %g ms.", round_ + 1, 1e3 * (marks[2] - marks[0]))
    return 1e3 * times / rounds, 1e3 * passes / rounds, 1e3 * (clock() - start)


def _wait(net: Net) -> None:
    """Until the GPU has done what it was given."""
    if net.xp is not np:
        net.xp.cuda.get_current_stream().synchronize()


def _print_table(net: Net, layers: np.ndarray, passes: np.ndarray) -> None:
    rows = [("layer", "type", "forward ms", "backward ms", "share")]
    for layer, (forward, backward) in zip(net.layers, layers):
        rows.append((layer.name, layer.type, f"{forward:.3f}", f"{backward:.3f}",
                     f"{(forward + backward) / passes.sum():.1%}"))
    rows.append(("all", "", f"{passes[0]:.3f}", f"{passes[1]:.3f}", "100.0%"))
    print(table(rows))
