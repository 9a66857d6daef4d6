"""`blobnet check`: the gradients of a net against finite differences."""

from __future__ import annotations

import argparse

from blobnet.check.net import check_net
from blobnet.check.results import format_table
from blobnet.cli._extensions import load_extensions
from blobnet.cli._flags import PHASES, add_extension_flags
from blobnet.cli._shapes import add_shape_option

_DESCRIPTION = """\
Compare the gradients of every layer of a net, and of its loss, with finite differences in float64.

Blobs of a few elements are checked element by element, others along random directions. Points where a slope jumps
(the corner of a ReLU) are skipped. Layers whose published gradient is not the derivative of their loss are checked
with gradient: EXACT. No data is needed: layers that read some become Input layers, their batch cut to 6 unless
--shape is given, with random values; labels are 0 or 1. Exit status 1 if a gradient is wrong."""


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Register the command."""
    parser = subparsers.add_parser("check", help="check gradients against finite differences", description=_DESCRIPTION,
                                   formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("net", metavar="NET.prototxt", help="the net")
    parser.add_argument("--phase", choices=PHASES, default="TRAIN", help="the phase to build it in (default: TRAIN)")
    add_shape_option(parser)
    parser.add_argument("--layer", action="append", default=[], metavar="NAME",
                        help="only this layer; may be given again")
    add_extension_flags(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Check and print the table; the exit status."""
    load_extensions(args.plugin)
    results = check_net(args.net, PHASES[args.phase], shapes=dict(args.shape), layers=args.layer,
                        python_layers=args.python_layers)
    print(format_table(results))
    failed = sum(not result.passed for result in results)
    checked = sum(result.checked > 0 for result in results)
    print(f"\n{checked} gradients checked, {failed} wrong")
    return 1 if failed else 0
