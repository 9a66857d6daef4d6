"""`blobnet grade`: what is right in an exercise, and what to look at next."""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
import textwrap
from collections import Counter

from blobnet.check.grading import Grade, State, grade
from blobnet.errors import BlobnetError
from blobnet.log.colour import painted

_DESCRIPTION = """\
Run an exercise, a layer in Python whose blanks (`...`) were filled in, and answer as a tutor does: what is right, the
first element that is wrong, with what came out and what was expected, and the slip that explains the numbers. The
solution is never told. The parts are looked at in their order, setup, forward, backward, and what is left of the
contract; forward is compared with the layer type that the exercise names, backward with finite differences too.

The file is run as any plug-in is: it can do whatever you can. Grade files of people that you trust.

Exit status 0 if all is right, 1 if something is wrong or blank, 2 if there is no exercise that can be run."""
WIDTH = 112


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Register the command."""
    parser = subparsers.add_parser("grade", help="say what is right in an exercise, and which slip explains the rest",
                                   description=_DESCRIPTION)
    parser.add_argument("file", metavar="FILE.py", help="the exercise")
    parser.add_argument("--json", action="store_true", help="print the findings as JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the answer; the exit status."""
    try:
        with contextlib.redirect_stdout(sys.stderr):  # what the file prints is no part of the answer
            result = grade(args.file)
    except BlobnetError as error:
        print(painted("blobnet:", "bad", sys.stderr), error, file=sys.stderr)
        return 2
    print(json.dumps(result.as_dict(), indent=1, allow_nan=False) if args.json else _text(result))
    return 0 if result.passed else 1


def _text(result: Grade) -> str:
    """A paragraph for each finding, and the sum of them."""
    lines = [f"{result.path}: {result.type}, held against {result.same_as}" if result.type else result.path, ""]
    for finding in result.findings:
        head = f"{finding.state.value:7} {finding.part:9} "
        lines += textwrap.wrap(finding.words, WIDTH, initial_indent=head, subsequent_indent=" " * len(head),
                               break_long_words=False, break_on_hyphens=False)
    if result.passed:
        return "\n".join([*lines, "", "All right."])
    counts = Counter(finding.state for finding in result.findings)
    words = [f"{counts[state]} {state.value}" for state in (State.RIGHT, State.WRONG, State.BLANK) if counts[state]]
    return "\n".join([*lines, "", ", ".join(words) + "."])
