"""The command line: `blobnet COMMAND …`, one module a command."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence

from blobnet import __version__
from blobnet.errors import BlobnetError

COMMANDS = ("train", "encode", "search", "evaluate", "check", "summary", "layers", "layer", "convert", "data")


def parser() -> argparse.ArgumentParser:
    """The parser of all commands; each module adds its own by `add_parser(subparsers)`."""
    root = argparse.ArgumentParser(prog="blobnet", description="Run networks that were published as Caffe prototxt.")
    root.add_argument("--version", action="version", version=f"blobnet {__version__}")
    subparsers = root.add_subparsers(metavar="COMMAND", required=True)
    for name in COMMANDS:
        importlib.import_module(f"blobnet.cli.{name}").add_parser(subparsers)
    return root


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; return 0 if it did what it should, 1 for what went wrong, with one line on standard error."""
    args = parser().parse_args(arguments)
    try:
        status = args.run(args) or 0
        sys.stdout.flush()
        return status
    except BrokenPipeError:  # the reader of a pipe, such as head, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (BlobnetError, OSError) as error:
        print(f"blobnet: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
