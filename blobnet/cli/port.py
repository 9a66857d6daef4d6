"""`blobnet port`: what stands between nets that somebody published and a run of them here."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence

from tqdm import tqdm

from blobnet.cli._extensions import load_extensions
from blobnet.cli._flags import PHASES, add_extension_flags, add_state_flags
from blobnet.cli._shapes import add_shape_option
from blobnet.core.net import Net
from blobnet.core.without_data import without_data
from blobnet.errors import NetError
from blobnet.netdef.load import load
from blobnet.port.files import find_files
from blobnet.port.page import page
from blobnet.port.port import port
from blobnet.port.report import FileReport
from blobnet.port.stubs import write_stubs
from blobnet.port.table import details, overview
from blobnet.port.weights import match_table, match_weights
from blobnet.proto.storage import atomic_write

_DESCRIPTION = """\
Look at nets, one file or hundreds, without their data and weights: is each one read, built, run forward and backward,
how much memory does it take, and what stops it - all obstacles at once, with their places and the nearest remedies.
Solver files lead to their nets. Data layers are replaced by noise of the shapes that their options tell, or else of
likely ones, which are named. The exit status is 1 if there is an obstacle."""


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Register the command."""
    parser = subparsers.add_parser("port", help="report all that stands between published nets and a run of them",
                                   description=_DESCRIPTION)
    parser.add_argument("paths", nargs="+", metavar="FILE|FOLDER", help="prototxt files, or folders of them")
    add_shape_option(parser)
    add_state_flags(parser)
    parser.add_argument("--no-run", dest="run_passes", action="store_false",
                        help="only read and build the nets, without a pass forward and backward")
    parser.add_argument("--weights", metavar="FILE", help="report by layer which parameters of this file fit (one net)")
    parser.add_argument("--write-stubs", metavar="FOLDER",
                        help="write a Python file to fill in for each layer type and module that is missing")
    parser.add_argument("--json", metavar="FILE", help="write the reports there too, - for standard output alone")
    parser.add_argument("--html", metavar="FILE", help="write them there as a page")
    add_extension_flags(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the reports; the exit status."""
    load_extensions(args.plugin)
    files = find_files(args.paths)
    reports: list[FileReport] = []
    for path in tqdm(files, unit="file", disable=None if len(files) > 1 else True):
        reports.append(_port(args, path))
    known = {report.path for report in reports}
    for path in sorted({net for report in reports for net in report.nets} - known):
        reports.append(_port(args, path))
    _write(args, reports)
    if args.json != "-":
        _print(reports)
    if args.weights is not None:
        _print_weights(args, reports)
    return int(any(report.obstacles for report in reports))


def _port(args: argparse.Namespace, path: str) -> FileReport:
    return port(path, shapes=dict(args.shape), level=args.level, stages=args.stage, run=args.run_passes,
                python_layers=args.python_layers)


def _print(reports: Sequence[FileReport]) -> None:
    for report in reports:
        if len(reports) == 1 or report.obstacles:
            print(details(report), end="\n\n")
    print(overview(reports))


def _write(args: argparse.Namespace, reports: Sequence[FileReport]) -> None:
    if args.json:
        text = json.dumps([report.as_dict() for report in reports], indent=1)
        if args.json == "-":
            print(text)
        else:
            _save(args.json, text + "\n")
    if args.html:
        _save(args.html, page(reports))
    if args.write_stubs:
        for path in write_stubs(args.write_stubs, reports):
            print(f"wrote {path}", file=sys.stderr)


def _save(path: str, text: str) -> None:
    with atomic_write(path) as file:
        file.write(text.encode("utf-8", "replace"))


def _print_weights(args: argparse.Namespace, reports: Sequence[FileReport]) -> None:
    nets = [report for report in reports if report.states]
    if len(nets) != 1 or not nets[0].built:
        raise NetError("--weights", expected="one net that can be built", got=f"{len(nets)} nets" if len(nets) != 1
                       else nets[0].path)
    state = nets[0].states[0]
    definition = without_data(load(nets[0].path, PHASES[state.phase], args.level, state.stages),
                              dict(args.shape) | state.assumed)
    net = Net(definition, PHASES[state.phase], origin=nets[0].path, python_layers=args.python_layers,
              fillers=False)
    print(f"\n{args.weights}\n{match_table(match_weights(net, args.weights))}")
