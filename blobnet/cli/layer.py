"""`blobnet layer NAME`: the page of a layer type."""

from __future__ import annotations

import argparse

from blobnet.cli._flags import add_plugin_flag
from blobnet.plugins import load_plugin
from blobnet.view.layer_pages import layer_page


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Register the command."""
    parser = subparsers.add_parser("layer", help="print the page of a layer type", description=(
        "Print what a layer type computes, its bottoms, tops and parameters, its options with their defaults, and the "
        "file that defines it."))
    parser.add_argument("name", metavar="NAME", help="the type, such as Convolution")
    add_plugin_flag(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the page."""
    for plugin in args.plugin:
        load_plugin(plugin)
    print(layer_page(args.name))
    return 0
