"""`blobnet upgrade_solver_proto_text`: upgrade a solver file, of an older generation."""

from __future__ import annotations

import argparse

from blobnet.cli._upgrade import add_upgrade_parser, upgrade_text


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Register the command."""
    add_upgrade_parser(subparsers, "upgrade_solver_proto_text", "a solver file").set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Upgrade and say what was written; the exit status."""
    return upgrade_text(args, "SolverParameter")
