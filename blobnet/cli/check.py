"""`blobnet check`: the gradients of a net against finite differences, its forwards against formulas."""

from __future__ import annotations

import argparse
import sys

from blobnet.check.net import check_net
from blobnet.check.results import format_table
from blobnet.cli._extensions import load_extensions
from blobnet.cli._flags import PHASES, add_extension_flags
from blobnet.cli._gpus import device_of
from blobnet.cli._shapes import add_shape_option

_DESCRIPTION = """\
Compare the gradients of every layer of a net, and of its loss, with finite differences in float64, and the forward of
every layer with the formula of its page.

Blobs of a few elements are checked element by element, others along random directions. Points where a slope jumps
(the corner of a ReLU) are skipped. Layers whose published gradient is not the derivative of their loss are checked
with gradient: EXACT. The column forward has the largest error of forward, relative to the largest number; "plain" if
forward is written as plainly as a formula, "-" if there is none to compare with. What is wrong is shown with the first
wrong element. No data is needed: layers that read some become Input layers, their batch cut to 6 unless --shape is
given, with random values; labels are 0 or 1. Exit status 1 if a gradient or a forward is wrong."""


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Register the command."""
    parser = subparsers.add_parser("check", help="check gradients and forwards", description=_DESCRIPTION)
    parser.add_argument("net", metavar="NET.prototxt", help="the net")
    parser.add_argument("--phase", choices=PHASES, default="TRAIN", help="the phase to build it in (default: TRAIN)")
    add_shape_option(parser)
    parser.add_argument("--layer", action="append", default=[], metavar="NAME",
                        help="only this layer; may be given again")
    parser.add_argument("--gpu", type=int, metavar="N", help="run on this GPU (default: the CPU)")
    add_extension_flags(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Check and print the table; the exit status."""
    load_extensions(args.plugin)
    results = check_net(args.net, PHASES[args.phase], shapes=dict(args.shape), layers=args.layer,
                        python_layers=args.python_layers, device=device_of(args.gpu))
    print(format_table(results, sys.stdout))
    gradients = [result for result in results if result.kind != "top"]
    checked, wrong = sum(result.checked > 0 for result in gradients), sum(not result.passed for result in gradients)
    forwards = [result.forward for result in results if result.forward and result.forward.error is not None]
    print(f"\n{checked} gradients checked, {wrong} wrong; {len(forwards)} forwards compared with their formulas, "
          f"{sum(not forward.passed for forward in forwards)} wrong")
    return 0 if all(result.passed for result in results) else 1
