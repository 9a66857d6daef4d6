"""`blobnet convert_imageset`: turn image files into a database."""

from __future__ import annotations

import argparse

from blobnet.cli._imagesets import add_image_arguments, convert
from blobnet.data.images.lists import read_image_list

_DESCRIPTION = """\
Turn the images of a list, with "path label" a line, into a database of Datum records for Data layers. The database is
new, and appears when it is complete. Quirks: ROOTFOLDER is put before the paths as it is, so it needs its slash at the
end; images that cannot be read are left out, with an error line each; --encoded keeps files as they are where they need
not be resized or changed in format, in colour even with --gray."""


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Register the command."""
    parser = subparsers.add_parser("convert_imageset", help="turn image files into a database",
                                   description=_DESCRIPTION)
    add_image_arguments(parser, '"path label"')
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Convert; the exit status."""
    return convert(args, *read_image_list(args.list, empty_lines=True))
