"""`blobnet doctor`: what an installation has and lacks, and whether it works."""

from __future__ import annotations

import argparse
import itertools
import json
import shutil
import sys
import textwrap
from dataclasses import asdict

from blobnet import __version__
from blobnet.check.doctor import Finding, Mark, examine
from blobnet.log.colour import painted

_DESCRIPTION = """\
Print which blobnet, Python and packages are here, which BLAS computes with how many threads, the variables that change
what is computed, the GPUs or why none can be used, what each extra lacks, and the results of a quick trial: a product,
a convolution and gradients whose numbers are known. Send it along with a question.

  ok       as it should be
  note     worth knowing
  missing  what only some commands need, and the line that installs it
  broken   what blobnet needs: the exit status is 1"""
STYLES = {Mark.OK: "good", Mark.NOTE: "note", Mark.MISSING: "note", Mark.BROKEN: "bad"}


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Register the command."""
    parser = subparsers.add_parser("doctor", help="say what this installation has, lacks, and whether it works",
                                   description=_DESCRIPTION)
    parser.add_argument("--json", action="store_true", help="print the findings as JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the findings; the exit status, 1 if something that is needed is broken."""
    findings = examine(__version__)
    broken = [finding.name for finding in findings if finding.mark is Mark.BROKEN]
    if args.json:
        print(json.dumps({"works": not broken, "findings": [asdict(finding) for finding in findings]}, indent=1))
    else:
        width = shutil.get_terminal_size((112, 24)).columns - 1
        for section, members in itertools.groupby(findings, key=lambda finding: finding.section):
            print(painted(section, "heading", sys.stdout), *_lines(list(members), width), "", sep="\n")
        print(painted(f"broken: {', '.join(broken)}", "bad", sys.stdout) if broken
              else painted("blobnet works", "good", sys.stdout))
    return 1 if broken else 0


def _lines(findings: list[Finding], width: int) -> list[str]:
    """A line for each finding, or more where it is long."""
    names = max(len(finding.name) for finding in findings)
    lines = []
    for finding in findings:
        text = f"{finding.name:{names}}  {finding.value}" + f"; {finding.hint}" * bool(finding.hint)
        first, *more = textwrap.wrap(text, max(width - 10, 40), subsequent_indent=" " * (names + 2),
                                     break_long_words=False, break_on_hyphens=False)
        mark = painted(finding.mark.value, STYLES[finding.mark], sys.stdout)
        lines += [f"  {mark}{'':{8 - len(finding.mark.value)}}{first}", *(f"{'':10}{line}" for line in more)]
    return lines
