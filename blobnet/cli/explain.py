"""`blobnet explain`: every number of a net's forward and backward passes, on a page."""

from __future__ import annotations

import argparse
import shlex
import sys

import numpy as np

from blobnet.cli._extensions import load_extensions
from blobnet.cli._flags import PHASES, add_extension_flags, add_state_flags, flag, whole, words
from blobnet.cli._shapes import add_shape_option
from blobnet.errors import BlobnetError, DataError
from blobnet.explain import Fault, Lesson, Question, explain, parse_break

_DESCRIPTION = """\
Run a net forward and backward on a few rows of its data, and write a page of HTML that shows every number: choose any
cell of a blob, and read from which numbers, by which weights and slopes, it was made, and how the gradient came back to
it. The page needs nothing else and asks for nothing; it opens from the disk.

Rows come from the net's data layers, or from --inputs; where the data does not lie here they are made up. With --solver
the net is trained first, and a slider goes through the steps. --break multiplies what the backward of one layer writes,
to see whether the gradient check notices, and how training goes on."""


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Register the command."""
    parser = subparsers.add_parser("explain", help="show every number of a net's passes on a page",
                                   description=_DESCRIPTION)
    parser.add_argument("net", metavar="NET.prototxt", help="the net")
    flag(parser, "--out", required=True, metavar="PAGE.html", help="the page to write")
    flag(parser, "--weights", type=words, default=[], metavar="A.caffemodel,B.caffemodel",
         help="files of weights, for layers of the same names")
    flag(parser, "--solver", metavar="SOLVER.prototxt", help="train first, as this file says; no snapshot is written")
    flag(parser, "--steps", type=whole(), default=100, metavar="N", help="iterations of that (default: 100)")
    flag(parser, "--break", dest="fault", type=_fault, metavar="LAYER:FACTOR", help="multiply the gradients of a layer")
    flag(parser, "--inputs", metavar="FILE.npz", help="arrays by blob name to run on, a whole batch")
    flag(parser, "--batch", type=whole(), default=0, metavar="N",
         help="rows of the data to run on (default: 4, or 12 for losses over pairs)")
    flag(parser, "--seed", type=whole(0), default=1, metavar="N",
         help="of fillers, masks and made-up data (default: 1)")
    parser.add_argument("--phase", choices=PHASES, default="TRAIN", help="the phase to build it in (default: TRAIN)")
    add_state_flags(parser)
    add_shape_option(parser)
    add_extension_flags(parser)
    parser.set_defaults(run=run)


def _fault(text: str) -> Fault:
    try:
        return parse_break(text)
    except BlobnetError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _arrays(path: str | None) -> dict[str, np.ndarray]:
    if path is None:
        return {}
    try:
        with np.load(path, allow_pickle=False) as file:
            return dict(file)
    except (OSError, ValueError) as error:
        raise DataError(path, expected="arrays by blob name, written by numpy.savez", got=str(error)) from None


def run(args: argparse.Namespace) -> int:
    """Write the page; the exit status."""
    load_extensions(args.plugin)
    question = Question(args.net, PHASES[args.phase], _arrays(args.inputs), dict(args.shape), args.batch, args.level,
                        args.stage, args.seed, args.python_layers)
    for note in explain(question, args.out, args.weights, Lesson(args.solver, args.steps, args.fault),
                        shlex.join(["blobnet", *sys.argv[1:]])):
        print(note)
    print(f"written: {args.out}")
    return 0
