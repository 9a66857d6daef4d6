"""`blobnet evaluate`: retrieval scores of hash codes under a named protocol."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import NamedTuple

from blobnet.cli._pages import add_page_flags, check_page_flags, sides, write
from blobnet.cli._protocols import ListProtocols, fitting, lists_for
from blobnet.errors import DataError
from blobnet.hashing.codes import Codes
from blobnet.hashing.engines import INDEXES
from blobnet.hashing.metrics import Evaluation, evaluate
from blobnet.hashing.neighbours import Neighbours
from blobnet.hashing.protocol import DIVISORS, STANDARD, TIES, Protocol, get_protocol, list_protocols
from blobnet.log.table import table
from blobnet.view.curves import Retrieval, plot_retrieval_curves
from blobnet.view.web.report import Entry, report

ALL = "all"
_FREE = (STANDARD.name, "neighbours")  # protocols of nobody's paper
_DESCRIPTION = """\
Score hash codes by mean average precision (mAP), precision among the first N (P@N) and precision within 2 bits
(P(r<=2), a query with nothing there counts as 0); for rows of labels also by the cumulative gains of the first N (ACG@N
and NDCG@N). Several query and base files, and several metrics, are compared in one table and with --curve in one
picture: precision against recall (within each Hamming radius; after each rank for metrics of real values), precision
among the first k, and mAP against bits.

What is relevant is told by the labels in the files or, for unsupervised methods, by lists of neighbours. These find
the 50 nearest raw vectors and score codes by them:
  blobnet search --queries test_pixels.npz --base train_pixels.npz \\
      --metric l2 --top 50 --out near.npz
  blobnet evaluate --queries test.npz --base train.npz \\
      --neighbours near.npz --protocol bdnn-neighbours

protocols (--list-protocols says what each of them means, and its paper; all: one row for each that fits):
"""


class _Row(NamedTuple):
    """A line of the table."""

    name: str
    files: tuple[str, str]
    queries: Codes
    base: Codes
    score: Evaluation
    neighbours: Neighbours | None


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Register the command."""
    parser = subparsers.add_parser("evaluate", help="score hash codes: mAP, precision, precision-recall curve",
                                   description=_DESCRIPTION + "  " + ", ".join(list_protocols()))
    parser.add_argument("--queries", required=True, nargs="+", metavar="Q.npz",
                        help="query codes, with labels unless there are --neighbours")
    parser.add_argument("--base", nargs="+", metavar="B.npz",
                        help="the database of each query file, in the same order; not needed for dsh-authors")
    parser.add_argument("--names", nargs="+", metavar="NAME", help="the method of each query file, in the same order; "
                        "files of one method are one line of mAP against bits")
    parser.add_argument("--protocol", metavar="NAME", help="one of the names above, or all (default: standard, or "
                        "neighbours with --neighbours)")
    parser.add_argument("--list-protocols", action=ListProtocols, nargs=0, help="say what the protocols mean, and end")
    parser.add_argument("--neighbours", metavar="NEAR.npz", help="lists of the relevant items of each query, as "
                        "'blobnet search --out' writes them, in place of labels")
    parser.add_argument("--metric", nargs="+", default=["hamming"], metavar="NAME",
                        help=f"what ranks, one or several of {', '.join(INDEXES)} (default: hamming)")
    parser.add_argument("--top-k", type=int, metavar="N", help="see only the first N of each ranking; average "
                        "precision is then divided by the relevant items among them, unless --divisor says otherwise")
    parser.add_argument("--ties", metavar="NAME", help=f"the order of equal distances, {', '.join(TIES)} (default: "
                        "index); of the protocols standard and neighbours only, as are divisors")
    parser.add_argument("--divisor", metavar="NAME", help="what average precision is divided by, all relevant items or "
                        f"those found: {' or '.join(DIVISORS)} (default: all)")
    parser.add_argument("--mmap", action="store_true", help="leave the bases in their files, for those larger than the "
                        "memory; the files are not checked")
    parser.add_argument("--curve", metavar="FILE.png", help="draw the curves there")
    add_page_flags(parser, "a report with curves, classes, the best and the worst queries as pictures, and bits")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Evaluate and print the table and the protocol; the exit status."""
    for option in ("base", "names"):
        given = getattr(args, option)
        if given and len(given) != len(args.queries):
            raise DataError("evaluate", expected=f"as many after --{option} as files after --queries",
                            got=f"{len(given)} after --{option}, {len(args.queries)} after --queries")
    check_page_flags(args)
    rows, misfits = _evaluate(args)
    if not rows:
        raise DataError("evaluate --protocol all", "no protocol fits these files",
                        hint="; ".join(f"{name}: {why}" for name, why in misfits.items()))
    cells = _cells(rows, args)
    print(table(cells, left=range(len(cells[0]))))
    if args.protocol == ALL:
        print("\n--list-protocols says what they mean" + "; those that do not fit:\n" * bool(misfits))
        print(table([(f"  {name}", why) for name, why in misfits.items()], left=(0, 1)))
    else:
        for protocol in dict.fromkeys(row.score.protocol for row in rows):
            print(f"\nprotocol {protocol.describe()}")
    if args.curve:
        plot_retrieval_curves([_curves(i, row, args) for i, row in enumerate(rows, 1)], args.curve)
        print(f"\ncurves written to {args.curve}")
    if args.html:
        print()
        write(report([_entry(row, args) for row in rows], cells), args)
    return 0


def _evaluate(args: argparse.Namespace) -> tuple[list[_Row], dict[str, str]]:
    """A row for every pair of files under every protocol; of all protocols, what those that do not fit miss."""
    neighbours = Neighbours.load(args.neighbours) if args.neighbours else None
    rows: list[_Row] = []
    misfits: dict[str, str] = {}
    protocols = _protocols(args)
    for i, query_path in enumerate(args.queries):
        queries = Codes.load(query_path)
        base_path = args.base[i] if args.base else None
        base = queries if base_path == query_path else Codes.load(base_path, mmap=args.mmap) if base_path else None
        name = args.names[i] if args.names else Path(query_path).stem
        if args.protocol == ALL:
            protocols, misfits = fitting(queries, base, args.metric[0], neighbours)
        for protocol in protocols:
            itself = protocol.query_in_database and (base is None or args.protocol == ALL)
            lists = lists_for(protocol, neighbours) if args.protocol == ALL else neighbours
            score = evaluate(queries, queries if itself else base, protocol, neighbours=lists)
            files = query_path, "(queries)" if itself else str(base_path)
            rows.append(_Row(name, files, queries, queries if base is None or itself else base, score, lists))
    return rows, misfits


def _protocols(args: argparse.Namespace) -> list[Protocol]:
    """The protocol as the options change it, for each metric; DataError where it is a published one."""
    name = args.protocol or ("neighbours" if args.neighbours else STANDARD.name)
    changes = {option: getattr(args, option) for option in ("ties", "divisor") if getattr(args, option) is not None}
    if name == ALL:
        if changes or args.top_k or len(args.metric) > 1 or len(args.queries) > 1:
            raise DataError("evaluate --protocol all", expected="one query file and one metric, without --top-k, "
                            "--ties and --divisor", got="more", hint="name a protocol to go with them")
        return []
    protocols = [get_protocol(name, top_k=args.top_k, metric=metric, **changes) for metric in args.metric]
    if changes and name not in _FREE:
        raise DataError(f"protocol {name!r}", expected="its own ties and divisor",
                        got=" ".join(f"--{option} {value}" for option, value in changes.items()),
                        hint=f"choose them with the protocol {' or '.join(_FREE)}")
    return protocols


def _cells(rows: list[_Row], args: argparse.Namespace) -> list[list[str]]:
    """The table: heads, and a line for each row; the columns that all have alike are left out."""
    cells = []
    for row in rows:
        score, within = row.score, row.score.precision_within
        line = {"name": row.name} if args.names else {}
        line |= {"protocol": score.protocol.name} if args.protocol == ALL else {}
        line |= {"queries": row.files[0], "base": row.files[1]}
        line |= {"metric": score.protocol.metric} if len(args.metric) > 1 else {}
        line |= {"bits": f"{row.queries.capacity:g}", "N queries": str(len(row.queries)), "N base": str(len(row.base)),
                 "mAP": f"{score.mean_average_precision:.4f}", "P@k": f"{score.precision:.4f} (k={score.k})",
                 "P(r<=2)": "-" if within is None else f"{within:.4f}"}
        if any(other.score.ndcg is not None for other in rows):
            line |= {"ACG@k": _number(score.cumulative_gain), "NDCG@k": _number(score.ndcg)}
        cells.append({**line, "codes": row.base.rule})
    return [list(cells[0]), *(list(line.values()) for line in cells)]


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"


def _method(row: _Row, args: argparse.Namespace) -> str:
    """The name of a row, with its metric or protocol where there are several."""
    variant = row.score.protocol.metric if len(args.metric) > 1 else ""
    variant = row.score.protocol.name if args.protocol == ALL else variant
    return ", ".join(filter(None, (row.name, variant)))


def _title(row: _Row, args: argparse.Namespace) -> str:
    return f"{_method(row, args)}, {row.queries.capacity:g} bit{'s' * (row.queries.capacity != 1)}"


def _entry(row: _Row, args: argparse.Namespace) -> Entry:
    """The part of the report on a row."""
    alone = row.files[0] in (args.base or args.queries)
    return Entry(_title(row, args), *sides(args, row.queries, row.base, row.files, alone), row.score, row.neighbours)


def _curves(number: int, row: _Row, args: argparse.Namespace) -> Retrieval:
    """The curves of a row, numbered like it; without names every row is a method of its own."""
    score, curve = row.score, f"{number}: {_title(row, args)}"
    recall, precision = score.by_rank if score.by_radius is None else score.by_radius
    return Retrieval(curve, _method(row, args) if args.names else curve, row.queries.capacity,
                     score.mean_average_precision, recall, precision, score.by_rank[1])
