"""`blobnet new`: write a net, a solver and a recipe for one's own data."""

from __future__ import annotations

import argparse
import shlex
from dataclasses import replace
from pathlib import Path

from blobnet.cli._flags import whole
from blobnet.data.sets.imported import read_import
from blobnet.errors import DataError
from blobnet.proto.storage import atomic_write
from blobnet.recipes.drafts.hashing import Draft
from blobnet.recipes.drafts.heads import CODE, METHODS
from blobnet.recipes.drafts.trunks import NETS, SMALL

_DESCRIPTION = """\
Write train_test.prototxt, solver.prototxt and recipe.yaml for photos that `blobnet data import` took in: the sources,
the mean, the length of the codes, the loss, batches and iterations are set for them. The paths in the files start at
the present folder, where the training has to be started too. What is there already stays; if it differs, nothing is
written.

The small net learns from nothing. The others are published nets, of which the last layer is replaced by that of the
codes; they start from weights of theirs, which are checked."""


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Register the command."""
    parser = subparsers.add_parser("new", help="write a net, solver and recipe for one's own photos",
                                   description=_DESCRIPTION)
    commands = parser.add_subparsers(dest="new_command", metavar="KIND", required=True)
    hashing = commands.add_parser("hashing", help="for hash codes", description=_DESCRIPTION)
    hashing.add_argument("--data", required=True, metavar="DIR", help="a folder that `blobnet data import` wrote")
    hashing.add_argument("--bits", type=whole(), default=24, metavar="K", help="length of the codes (24)")
    hashing.add_argument("--out", metavar="FOLDER", help="the folder to write into (DIR/METHOD_BITS)")
    hashing.add_argument("--method", choices=METHODS, default="dsh", help="whose loss (dsh)")
    hashing.add_argument("--net", choices=NETS, default=SMALL, metavar="NAME",
                         help=f"the layers before the codes: {', '.join(NETS)} ({SMALL})")
    hashing.add_argument("--weights", default="", metavar="FILE.caffemodel", help="start from these weights")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Write the files and print what may be done with them; the exit status."""
    draft = Draft(read_import(args.data), Path(args.out or ""), args.bits, args.method, args.net, args.weights)
    if not args.out:
        draft = replace(draft, folder=draft.data.folder / draft.name)
    files = {draft.folder / name: text.encode() for name, text in draft.files().items()}
    for path, text in files.items():
        if path.exists() and not (path.is_file() and path.read_bytes() == text):
            raise DataError(str(path), "is there already, and differs", hint="remove it, or choose another --out")
    draft.folder.mkdir(parents=True, exist_ok=True)
    for path, text in files.items():
        with atomic_write(path) as file:
            file.write(text)
        print(path)
    print("\nnext:")
    for words in _next(draft):
        print("  blobnet", shlex.join(map(str, words)))
    return 0


def _next(draft: Draft) -> list[list]:
    """The command lines that lead on."""
    base, queries = (draft.folder / f"{name}.npz" for name in ("train", "test"))
    encode = ["encode", draft.folder / "train_test.prototxt", "--weights", draft.snapshot, "--blob", CODE]
    return [["train", "--solver", draft.folder / "solver.prototxt"],
            [*encode, "--source", draft.data.folder / "train.txt", "--out", base],
            ["search", "--base", base, "--query", "PHOTO.jpg", *_page(draft, "found")],
            [*encode, "--source", draft.data.folder / "test.txt", "--out", queries],
            ["evaluate", "--queries", queries, "--base", base, *_page(draft, "scores")]]


def _page(draft: Draft, name: str) -> list:
    """The flags for a page with the photos of the draft."""
    return ["--root", draft.data.folder, "--html", draft.folder / f"{name}.html"]
