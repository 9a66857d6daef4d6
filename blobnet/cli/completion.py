"""`blobnet completion`: scripts that let a shell complete commands, flags, names and files."""

from __future__ import annotations

import argparse

from blobnet.errors import BlobnetError
from blobnet.optional import require_library

SHELLS = ("bash", "zsh", "fish", "tcsh")

_DESCRIPTION = """\
Print a script that lets the Tab key complete commands, flags, their choices, layer types, recipes, protocols, and files
of the kinds that a command reads. Run it again after blobnet has changed.

bash:
  blobnet completion bash > ~/.blobnet_completion
  echo '. ~/.blobnet_completion' >> ~/.bashrc

zsh, where FOLDER is one of $fpath:
  blobnet completion zsh > FOLDER/_blobnet

fish:
  blobnet completion fish > ~/.config/fish/completions/blobnet.fish

tcsh:
  blobnet completion tcsh > ~/.blobnet_completion
  echo 'source ~/.blobnet_completion' >> ~/.tcshrc"""


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Register the command."""
    parser = subparsers.add_parser("completion", help="print a script that lets a shell complete command lines",
                                   description=_DESCRIPTION)
    parser.add_argument("shell", choices=SHELLS, help="the shell")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the script; the exit status."""
    shtab = require_library("shtab", "completion", "the scripts are written by shtab", "'blobnet[completion]'")
    if args.shell not in shtab.SUPPORTED_SHELLS:
        raise BlobnetError("completion", f"shtab {shtab.__version__} does not know {args.shell}",
                           hint="pip install --upgrade shtab")
    from blobnet.cli import parser  # here, as the parser of all commands imports this module
    from blobnet.cli._completers import add_completers

    root = parser()
    preambles = add_completers(root)
    print(shtab.complete(root, args.shell, preamble=preambles.get(args.shell, "")))
    return 0
