"""`blobnet parse_log`: a training log as two tables."""

from __future__ import annotations

import argparse
from pathlib import Path

from blobnet.cli._flags import flag, switch
from blobnet.view.training_log import parse_log, write_rows

_DESCRIPTION = """\
Turn a training log, Caffe's or blobnet's, into two CSV files: OUTPUT_DIR/LOG.train with what the training net put out,
and OUTPUT_DIR/LOG.test with that of the test nets; a file without rows is not written. Columns: NumIters, Seconds
(since the training began), LearningRate, and the outputs. Quirks: LearningRate is the one before the row."""


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Register the command."""
    parser = subparsers.add_parser("parse_log", help="turn a training log into tables", description=_DESCRIPTION)
    parser.add_argument("log", metavar="LOG", help="the log")
    parser.add_argument("folder", metavar="OUTPUT_DIR", help="where to write the tables")
    switch(parser, "--verbose", "say what is written")
    flag(parser, "--delimiter", type=_letter, default=",", metavar="C", help="what stands between columns (default: ,)")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Parse and write; the exit status."""
    tables = dict(zip((".train", ".test"), parse_log(args.log)))
    for suffix, rows in tables.items():
        path = Path(args.folder, Path(args.log).name + suffix)
        if rows:
            write_rows(path, rows, args.delimiter)
        if args.verbose:
            print(f"Wrote {path}" if rows else f"Not writing {path}; no lines to write")
    return 0


def _letter(text: str) -> str:
    if len(text) != 1 or text in '"\r\n':
        raise argparse.ArgumentTypeError(f"expected one letter other than a quote, got {text!r}")
    return text
