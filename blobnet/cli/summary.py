"""`blobnet summary`: the layers of a net with their shapes, parameters and costs."""

from __future__ import annotations

import argparse
import sys

from blobnet.cli._extensions import load_extensions
from blobnet.cli._flags import PHASES, add_extension_flags
from blobnet.cli._shapes import add_shape_option
from blobnet.core.net import Net
from blobnet.core.without_data import without_data
from blobnet.errors import within
from blobnet.log.colour import headed
from blobnet.log.table import table
from blobnet.netdef.ignored import grouped, ignored_fields
from blobnet.netdef.load import load
from blobnet.netdef.solver_nets import find_net, named_nets
from blobnet.port.files import read_file
from blobnet.proto.files import read_message
from blobnet.view.summary import shape_text, summary

_DESCRIPTION = """\
Build a net and print its layers: shapes of the tops, parameters, multiply-adds of a forward pass, and the totals; then
the fields that make no difference here. The data of the net is not needed: the shape of a batch comes from --shape,
from the options of the data layer, or from its database if that is there; what nothing tells is assumed, and said. A
solver file stands for the net that it trains. Shapes behind a Python layer take
--python-layers; `blobnet summarize` lists any net."""


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Register the command."""
    parser = subparsers.add_parser("summary", help="print the layers of a net and their costs",
                                   description=_DESCRIPTION)
    parser.add_argument("net", metavar="NET.prototxt", help="the net, or its solver")
    parser.add_argument("--phase", choices=PHASES, default="TEST", help="the phase to build it in (default: TEST)")
    parser.add_argument("--level", type=int, default=0, metavar="N", help="the level to build it at (default: 0)")
    parser.add_argument("--stage", action="append", default=[], metavar="S",
                        help="build it in this stage; may be given again")
    add_shape_option(parser)
    parser.add_argument("--all", action="store_true", help="show the Split layers that were inserted too")
    add_extension_flags(parser)
    parser.set_defaults(run=run)


def _net_file(path: str) -> str:
    """The file of a net; of a solver file, the net that it trains."""
    reading = read_file(path)
    nets = named_nets(reading.message) if reading.kind == "solver" else []
    return find_net(nets[0], path) if nets else path


def run(args: argparse.Namespace) -> int:
    """Print the summary; the exit status."""
    load_extensions(args.plugin)
    phase = PHASES[args.phase]
    path = _net_file(args.net)
    source = read_message(path, "NetParameter")
    assumed: dict[str, tuple[int, ...]] = {}
    definition = without_data(load(source, phase, args.level, args.stage, path), dict(args.shape), assumed)
    guesses = ", ".join(f"{name} is taken to be {shape_text(shape)}" for name, shape in assumed.items())
    with within("", f"nothing tells some shapes, so {guesses}: --shape TOP=N,C,H,W says another" if guesses else ""):
        net = Net(definition, phase, level=args.level, stages=args.stage, origin=path, python_layers=args.python_layers,
                  fillers=False)
    print(f"{net.name or path}, {args.phase}\n\n{headed(summary(net, args.all), sys.stdout)}")
    for name, shape in assumed.items():
        print(f"\nassumed: {name} is {shape_text(shape)}, as nothing tells its shape; --shape {name}=… does")
    ignored = grouped(row for row in ignored_fields(source) if not row.layer or row.layer in net.layer_dict)
    if ignored:
        print("\nwithout an effect here\n" + table([("layer", "field", "why"), *ignored], left=range(3)))
    return 0
