"""`blobnet weights`: what is inside a file of weights."""

from __future__ import annotations

import argparse
import json
import sys

from blobnet.log.colour import headed
from blobnet.view.weight_files import weight_rows, weight_table

_DESCRIPTION = """\
List the arrays in a file of weights (.caffemodel, HDF5, .safetensors, .npz, .pt), in a .solverstate or in a
.binaryproto: the layer that each belongs to, its shape, the mean and the standard deviation of its numbers, and the
share of them that is 0."""


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Register the command."""
    parser = subparsers.add_parser("weights", help="list what is inside a file of weights", description=_DESCRIPTION)
    parser.add_argument("file", metavar="FILE",
                        help="a .caffemodel, .h5, .safetensors, .npz, .pt, .solverstate or .binaryproto")
    parser.add_argument("--json", action="store_true", help="print a list of objects instead of a table")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the list; the exit status."""
    rows = weight_rows(args.file)
    print(json.dumps([row._asdict() for row in rows], indent=1) if args.json
          else headed(weight_table(rows), sys.stdout))
    return 0
