"""`blobnet summary`: the layers of a net with their shapes, parameters and costs."""

from __future__ import annotations

import argparse

from blobnet.cli._extensions import load_extensions
from blobnet.cli._flags import PHASES, add_extension_flags
from blobnet.cli._shapes import add_shape_option
from blobnet.core.net import Net
from blobnet.core.without_data import without_data
from blobnet.log.table import table
from blobnet.netdef.ignored import grouped, ignored_fields
from blobnet.netdef.load import load
from blobnet.proto.files import read_message
from blobnet.view.summary import summary

_DESCRIPTION = """\
Build a net and print its layers: shapes of the tops, parameters, multiply-adds of a forward pass, and the totals; then
the fields that make no difference here. The data of the net is not needed: the shape of a batch comes from --shape,
from the options of the data layer, or from its database if that is there. Shapes behind a Python layer take
--python-layers; `blobnet summarize` lists any net."""


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Register the command."""
    parser = subparsers.add_parser("summary", help="print the layers of a net and their costs",
                                   description=_DESCRIPTION)
    parser.add_argument("net", metavar="NET.prototxt", help="the net")
    parser.add_argument("--phase", choices=PHASES, default="TEST", help="the phase to build it in (default: TEST)")
    parser.add_argument("--level", type=int, default=0, metavar="N", help="the level to build it at (default: 0)")
    parser.add_argument("--stage", action="append", default=[], metavar="S",
                        help="build it in this stage; may be given again")
    add_shape_option(parser)
    parser.add_argument("--all", action="store_true", help="show the Split layers that were inserted too")
    add_extension_flags(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the summary; the exit status."""
    load_extensions(args.plugin)
    phase = PHASES[args.phase]
    source = read_message(args.net, "NetParameter")
    definition = without_data(load(source, phase, args.level, args.stage, args.net), dict(args.shape))
    net = Net(definition, phase, level=args.level, stages=args.stage, origin=args.net, python_layers=args.python_layers)
    print(f"{net.name or args.net}, {args.phase}\n\n{summary(net, args.all)}")
    ignored = grouped(row for row in ignored_fields(source) if not row.layer or row.layer in net.layer_dict)
    if ignored:
        print("\nwithout an effect here\n" + table([("layer", "field", "why"), *ignored], left=range(3)))
    return 0
