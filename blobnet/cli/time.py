"""`blobnet time`: how long the layers of a net take."""

from __future__ import annotations

import argparse
import logging
import sys
import time

from tqdm import tqdm

from blobnet.cli._flags import PHASES, flag, ignore_other_flags
from blobnet.cli._nets import add_net_flags, build_net
from blobnet.core.net import Net
from blobnet.core.profile import Profile, Time
from blobnet.log.colour import headed
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
        profile, total = measure(net, args.iterations)
        iterations.info("Average time per layer: ")
        for layer in net.layers:
            iterations.info("%10s\tforward: %g ms.", layer.name, profile.forward.get(layer, Time()).ms)
            iterations.info("%10s\tbackward: %g ms.", layer.name, profile.backward.get(layer, Time()).ms)
        iterations.info("Average Forward pass: %g ms.", profile.forward_pass.ms)
        iterations.info("Average Backward pass: %g ms.", profile.backward_pass.ms)
        iterations.info("Average Forward-Backward: %g ms.", total / args.iterations)
        iterations.info("Total Time: %g ms.", total)
        log.info("*** Benchmark ends ***")
    if sys.stderr.isatty():
        print(headed(str(profile), sys.stdout))
    return 0


def measure(net: Net, rounds: int) -> tuple[Profile, float]:
    """The times of so many forward and backward passes, and the milliseconds of all of it."""
    profile, start = Profile(), time.perf_counter()
    with net.watched_by(profile):
        for number in tqdm(range(1, rounds + 1), unit="passes", disable=not sys.stderr.isatty()):
            begin = time.perf_counter()
            net.forward()
            net.backward()
            iterations.info("Iteration: %d forward-backward time: %g ms.", number, 1e3 * (time.perf_counter() - begin))
    return profile, 1e3 * (time.perf_counter() - start)
