"""`blobnet upgrade_net_proto_binary`: upgrade a net with its weights, of an older generation."""

from __future__ import annotations

import argparse

from blobnet.cli._upgrade import add_upgrade_parser, upgrade_binary


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Register the command."""
    add_upgrade_parser(subparsers, "upgrade_net_proto_binary", "a net with its weights").set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Upgrade and say what was written; the exit status."""
    return upgrade_binary(args, "NetParameter")
