"""`blobnet evaluate`: retrieval scores of hash codes under a named protocol."""

from __future__ import annotations

import argparse
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from blobnet.errors import DataError
from blobnet.hashing.codes import Codes
from blobnet.hashing.engines import INDEXES
from blobnet.hashing.metrics import Evaluation, evaluate
from blobnet.hashing.protocol import DIVISORS, STANDARD, TIES, Protocol, get_protocol, list_protocols
from blobnet.log.table import table
from blobnet.view.curves import Retrieval, plot_retrieval_curves

_DESCRIPTION = """\
Score hash codes by mean average precision (mAP), precision among the first N (P@N) and precision within 2 bits
(P(r<=2), a query with nothing there counts as 0). Several query and base files, and several metrics, are compared in
one table and with --curve in one picture: precision against recall (within each Hamming radius; after each rank for
metrics of real values), precision among the first k, and mAP against bits.

protocols:
"""


class _Row(NamedTuple):
    """A line of the table."""

    name: str
    metric: str
    files: tuple[str, str]
    queries: Codes
    base: Codes
    score: Evaluation


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Register the command."""
    protocols = list_protocols()
    parser = subparsers.add_parser("evaluate", help="score hash codes: mAP, precision, precision-recall curve",
                                   description=_DESCRIPTION + "\n".join(map(_wrap, protocols.values())),
                                   formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--queries", required=True, nargs="+", metavar="Q.npz", help="query codes, with labels")
    parser.add_argument("--base", nargs="+", metavar="B.npz",
                        help="the database of each query file, in the same order; not needed for dsh-authors")
    parser.add_argument("--names", nargs="+", metavar="NAME", help="the method of each query file, in the same order; "
                        "files of one method are one line of mAP against bits")
    parser.add_argument("--protocol", default="standard", metavar="NAME",
                        help=" or ".join(protocols) + " (default: standard)")
    parser.add_argument("--metric", nargs="+", default=["hamming"], metavar="NAME",
                        help=f"what ranks, one or several of {', '.join(INDEXES)} (default: hamming)")
    parser.add_argument("--top-k", type=int, metavar="N", help="see only the first N of each ranking; average "
                        "precision is then divided by the relevant items among them, unless --divisor says otherwise")
    parser.add_argument("--ties", metavar="NAME", help=f"the order of equal distances, {', '.join(TIES)} (default: "
                        "index); of the protocol standard only, as are divisors")
    parser.add_argument("--divisor", metavar="NAME", help="what average precision is divided by, all relevant items or "
                        f"those found: {' or '.join(DIVISORS)} (default: all)")
    parser.add_argument("--mmap", action="store_true", help="leave the bases in their files, for those larger than the "
                        "memory; the files are not checked")
    parser.add_argument("--curve", metavar="FILE.png", help="draw the curves there")
    parser.set_defaults(run=run)


def _wrap(sentence: str) -> str:
    return textwrap.fill(sentence, 110, initial_indent="  ", subsequent_indent="    ")


def run(args: argparse.Namespace) -> int:
    """Evaluate and print the table and the protocol; the exit status."""
    for option in ("base", "names"):
        given = getattr(args, option)
        if given and len(given) != len(args.queries):
            raise DataError("evaluate", expected=f"as many after --{option} as files after --queries",
                            got=f"{len(given)} after --{option}, {len(args.queries)} after --queries")
    rows = list(_evaluate(args))
    _print_table(rows, bool(args.names), len(args.metric) > 1)
    for protocol in dict.fromkeys(row.score.protocol for row in rows):
        print(f"\nprotocol {protocol.describe()}")
    if args.curve:
        plot_retrieval_curves([_curves(i, row, bool(args.names), len(args.metric) > 1)
                               for i, row in enumerate(rows, 1)], args.curve)
        print(f"\ncurves written to {args.curve}")
    return 0


def _evaluate(args: argparse.Namespace) -> Iterator[_Row]:
    protocols = _protocols(args)
    for i, query_path in enumerate(args.queries):
        queries = Codes.load(query_path)
        base_path = args.base[i] if args.base else None
        base = queries if base_path in (None, query_path) else Codes.load(base_path, mmap=args.mmap)
        name = args.names[i] if args.names else Path(query_path).stem
        for protocol in protocols:
            score = evaluate(queries, base if base_path or protocol.query_in_database else None, protocol)
            yield _Row(name, protocol.metric, (query_path, base_path or "(queries)"), queries, base, score)


def _protocols(args: argparse.Namespace) -> list[Protocol]:
    """The protocol as the options change it, for each metric; DataError where it is a published one."""
    changes = {name: getattr(args, name) for name in ("ties", "divisor") if getattr(args, name) is not None}
    protocols = [get_protocol(args.protocol, top_k=args.top_k, metric=metric, **changes) for metric in args.metric]
    if changes and args.protocol != STANDARD.name:
        raise DataError(f"protocol {args.protocol!r}", expected="its own ties and divisor",
                        got=" ".join(f"--{name} {value}" for name, value in changes.items()),
                        hint=f"choose them with the protocol {STANDARD.name}")
    return protocols


def _print_table(rows: list[_Row], named: bool, several_metrics: bool) -> None:
    heads = ["name"] * named + ["queries", "base"] + ["metric"] * several_metrics
    cells = [(*heads, "bits", "N queries", "N base", "mAP", "P@k", "P(r<=2)", "codes")]
    for row in rows:
        score, within = row.score, row.score.precision_within
        cells.append((*[row.name] * named, *row.files, *[row.metric] * several_metrics, f"{row.queries.capacity:g}",
                      str(len(row.queries)), str(len(row.base)), f"{score.mean_average_precision:.4f}",
                      f"{score.precision:.4f} (k={score.k})", "-" if within is None else f"{within:.4f}",
                      row.base.rule))
    print(table(cells, left=range(len(cells[0]))))


def _curves(number: int, row: _Row, named: bool, several_metrics: bool) -> Retrieval:
    """The curves of a row, numbered like it; without names every row is a method of its own."""
    score, method = row.score, row.name + (f", {row.metric}" if several_metrics else "")
    curve = f"{number}: {method}, {row.queries.capacity:g} bit{'s' * (row.queries.capacity != 1)}"
    recall, precision = score.by_rank if score.by_radius is None else score.by_radius
    return Retrieval(curve, method if named else curve, row.queries.capacity, score.mean_average_precision, recall,
                     precision, score.by_rank[1])
