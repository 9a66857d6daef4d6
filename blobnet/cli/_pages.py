"""Pages with the pictures of queries and results: the options, and where the pictures are."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from blobnet.cli._databases import require_folder_of
from blobnet.data.stores.database import is_database
from blobnet.errors import DataError
from blobnet.hashing.codes import Codes
from blobnet.view.web.frame import Page, write_page
from blobnet.view.web.items import Side


def add_page_flags(parser: argparse.ArgumentParser, what: str) -> None:
    """Add --html, which writes `what`, and the flags of `sides`."""
    parser.add_argument("--html", metavar="FILE.html", help=f"write {what} there: one page, which needs nothing else")
    parser.add_argument("--root", metavar="DIR", help="for --html: where the pictures are that the ids name, the "
                        "folder that paths start from or the database of the keys (default: the current folder, that "
                        "of the codes file, or one above it)")
    parser.add_argument("--query-root", metavar="DIR", help="for --html: where those of the queries are, if elsewhere; "
                        "for keys of another database it must be said")


def check_page_flags(args: argparse.Namespace) -> None:
    """DataError where the page has no folder to be written into, or the pictures' folders are not there."""
    if args.html:
        require_folder_of(args.html)
    for option in ("root", "query_root"):
        folder = getattr(args, option)
        if folder is not None and not os.path.isdir(folder):
            raise DataError(f"--{option.replace('_', '-')} {folder}", "no such folder",
                            hint=f"paths start from {os.getcwd()!r}")
        if folder is not None and not args.html:
            raise DataError(f"--{option.replace('_', '-')}", expected="--html, whose pictures it finds", got="none")


def sides(args: argparse.Namespace, queries: Codes, base: Codes, files: tuple[str, str],
          alone: bool = False) -> tuple[Side, Side]:
    """Queries and base, of the codes files `files`, with the places of their pictures; `alone`: both are of one file.

    Queries of no file, "", are photos, whose paths start from the current folder. The keys of two databases are often
    alike, so the database of the base never serves other queries unasked.
    """
    shared = args.root and files[0] and (alone or not is_database(args.root))
    query_root = args.query_root or (args.root if shared else _near(queries, files[0]))
    base_root = query_root if base is queries else args.root or _near(base, files[1])
    return Side(queries, query_root), Side(base, base_root)


def _near(codes: Codes, file: str) -> str:
    """The current folder or, if the first picture is not there but in or above the folder of the codes file, that."""
    first = "" if codes.ids is None or not len(codes) else str(codes.ids[0])
    folders = map(str, (".", *Path(file).parents))
    return next((folder for folder in folders if first and os.path.isfile(os.path.join(folder, first))), ".")


def write(page: Page, args: argparse.Namespace) -> None:
    """Write the page, say so, and what there is to know of it."""
    print(write_page(page.html, args.html))
    for note in page.notes:
        print(f"note: {note}")
    if any("not there" in note for note in page.notes):
        print("note: --root and --query-root say where pictures are")
