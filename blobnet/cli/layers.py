"""`blobnet layers`: all layer types, by family."""

from __future__ import annotations

import argparse

from blobnet.cli._flags import add_plugin_flag
from blobnet.plugins import load_plugin
from blobnet.view.device_table import device_table
from blobnet.view.layer_pages import layer_markdown, layer_table


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Register the command."""
    parser = subparsers.add_parser("layers", help="list the layer types", description=__doc__)
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--markdown", action="store_true", help="print the table of the README")
    which.add_argument("--devices", action="store_true", help="print what computes their kernels on a CPU and a GPU")
    add_plugin_flag(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the table."""
    for plugin in args.plugin:
        load_plugin(plugin)
    print(layer_markdown() if args.markdown else device_table() if args.devices else layer_table())
    return 0
