"""`blobnet layers`: all layer types, by family."""

from __future__ import annotations

import argparse

from blobnet.cli._flags import add_plugin_flag
from blobnet.plugins import load_plugin
from blobnet.view.layer_pages import layer_markdown, layer_table


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Register the command."""
    parser = subparsers.add_parser("layers", help="list the layer types", description=__doc__)
    parser.add_argument("--markdown", action="store_true", help="print the table of the README")
    add_plugin_flag(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the table."""
    for plugin in args.plugin:
        load_plugin(plugin)
    print(layer_markdown() if args.markdown else layer_table())
    return 0
