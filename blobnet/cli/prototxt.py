"""`blobnet prototxt`: the published nets, their recipes, and the lessons."""

from __future__ import annotations

import argparse
from pathlib import Path

from blobnet.errors import DataError
from blobnet.published import published, published_files, published_recipes

_DESCRIPTION = """\
List what comes with blobnet: a folder of nets, solvers and recipes a paper, and the lessons, examples. Copy folders of
it, to read, run and edit."""
_COPY = """\
Copy folders to DIR/prototxt/NAME, with them the layers in Python of such nets to DIR/examples/NAME, and the lessons to
DIR/examples. Solver files name their nets from DIR: run commands from there. Files that are there already stay; if one
of them differs, nothing is copied."""


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Register the command."""
    parser = subparsers.add_parser("prototxt", help="list the published nets, copy them for editing",
                                   description=_DESCRIPTION)
    commands = parser.add_subparsers(dest="prototxt_command", metavar="COMMAND", required=True)
    lister = commands.add_parser("list", help="the folders with their recipes, or the files of one folder",
                                 description="Print the published folders with their recipes, or a folder's files.")
    lister.add_argument("name", nargs="?", metavar="NAME", help="a folder, such as dsh")
    copier = commands.add_parser("copy", help="copy folders into this one", description=_COPY)
    copier.add_argument("names", nargs="+", metavar="NAME", help="a folder, such as dsh, or examples")
    copier.add_argument("--to", default=".", metavar="DIR", help="the folder to copy into (this one)")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Carry out the command in `args`; the exit status."""
    if args.prototxt_command == "copy":
        _copy(args.names, Path(args.to))
    elif args.name:
        print("\n".join(map(str, published_files(args.name).values())))
    else:
        print(_overview())
    return 0


def _copy(names: list[str], to: Path) -> None:
    """Copy the folders; DataError, before anything is written, for unknown names and for files of another content."""
    files = {to / name: path.read_bytes() for folder in names for name, path in published_files(folder).items()}
    for target, content in files.items():
        if target.exists() and not (target.is_file() and target.read_bytes() == content):
            raise DataError(str(target), "is there already, and differs from the published file",
                            hint="move it away, or choose another --to")
    for target, content in files.items():
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
    for folder in dict.fromkeys(Path(*target.relative_to(to).parent.parts[:2]) for target in files):
        print(to / folder)


def _overview() -> str:
    """A line a folder, and a line of its recipes if it has some."""
    folders, recipes = published(), published_recipes()
    width = max(map(len, folders))
    lines = []
    for name, folder in folders.items():
        page = folder / "README.md"
        about = page.read_text("utf-8").partition("\n")[0].strip("# ") if page.exists() else "the lessons, as scripts"
        lines.append(f"{name:{width}}  {about}")
        mine = [recipe for recipe in recipes if recipe.split("/")[0] == name]
        if mine:
            lines.append(f"{'':{width}}  blobnet run " + " | ".join(mine))
    return "\n".join(lines)
