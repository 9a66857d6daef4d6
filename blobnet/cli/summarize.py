"""`blobnet summarize`: the layers of a net, a line each, without building it."""

from __future__ import annotations

import argparse
import sys

from blobnet.cli._flags import add_plugin_flag, flag, whole
from blobnet.log.colour import colours_wanted
from blobnet.netdef.upgrade import upgrade_net
from blobnet.plugins import load_plugin
from blobnet.proto.files import read_message
from blobnet.view.listing import listing

_DESCRIPTION = """\
List the layers of a net as it is written, those of all phases: name, type, rates of the parameters that are not 1
(x2.0 learning rate, Dx0.0 decay), bottoms -> tops with loss weights, and the window of convolutions and poolings as
kernel/stride+pad outputs/group. Nothing is built or checked; `blobnet summary` shows shapes and costs. In colour every
blob has its own; tops that nobody reads are underlined, bottoms that nobody makes are red."""


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Register the command."""
    parser = subparsers.add_parser("summarize", help="list the layers of a net, a line each", description=_DESCRIPTION)
    parser.add_argument("net", metavar="NET.prototxt", help="the net")
    parser.add_argument("-w", "--max-width", "--max_width", type=whole(1), default=30, metavar="N",
                        help="the width of a column that longer names overflow (default: 30)")
    flag(parser, "--color", choices=["auto", "always", "never"], default="auto",
         help="colours of blobs (default: auto, on a terminal)")
    add_plugin_flag(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the list; the exit status."""
    for plugin in args.plugin:
        load_plugin(plugin)
    net = upgrade_net(read_message(args.net, "NetParameter"), args.net)
    colours = args.color == "always" or args.color == "auto" and colours_wanted(sys.stdout)
    print(listing(net, args.max_width, colours))
    return 0
