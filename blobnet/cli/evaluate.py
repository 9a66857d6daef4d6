"""`blobnet evaluate`: retrieval scores of hash codes under a named protocol."""

from __future__ import annotations

import argparse
import textwrap
from pathlib import Path

from blobnet.errors import DataError
from blobnet.hashing.codes import Codes
from blobnet.hashing.metrics import curve_by_radius, evaluate
from blobnet.hashing.protocol import get_protocol, list_protocols
from blobnet.view.curves import plot_precision_recall

_DESCRIPTION = """\
Score hash codes by mean average precision (mAP), precision among the first N (P@N) and precision within 2 bits
(P(r<=2), a query with nothing there counts as 0). Several query and base files are compared in one table.

protocols:
"""


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Register the command."""
    protocols = list_protocols()
    parser = subparsers.add_parser("evaluate", help="score hash codes: mAP, precision, precision-recall curve",
                                   description=_DESCRIPTION + "\n".join(map(_wrap, protocols.values())),
                                   formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--queries", required=True, nargs="+", metavar="Q.npz", help="query codes, with labels")
    parser.add_argument("--base", nargs="+", metavar="B.npz",
                        help="the database of each query file, in the same order; not needed for dsh-authors")
    parser.add_argument("--protocol", default="standard", metavar="NAME",
                        help=" or ".join(protocols) + " (default: standard)")
    parser.add_argument("--top-k", type=int, metavar="N", help="see only the first N of each ranking; average "
                        "precision is then divided by the relevant items among them")
    parser.add_argument("--curve", metavar="FILE.png", help="draw precision against recall, by Hamming radius, there")
    parser.set_defaults(run=run)


def _wrap(sentence: str) -> str:
    return textwrap.fill(sentence, 110, initial_indent="  ", subsequent_indent="    ")


def run(args: argparse.Namespace) -> int:
    """Evaluate and print the table and the protocol; the exit status."""
    protocol = get_protocol(args.protocol, top_k=args.top_k)
    bases = args.base or [None] * len(args.queries)
    if len(bases) != len(args.queries):
        raise DataError("evaluate", expected="as many files after --base as after --queries",
                        got=f"{len(bases)} after --base, {len(args.queries)} after --queries")
    rows, curves = [("queries", "base", "bits", "N queries", "N base", "mAP", "P@k", "P(r<=2)", "codes")], {}
    for query_path, base_path in zip(args.queries, bases):
        queries = Codes.load(query_path)
        base = queries if base_path in (None, query_path) else Codes.load(base_path)
        pair = queries, base if base_path or protocol.query_in_database else None, protocol
        score = evaluate(*pair)
        rows.append((query_path, base_path or "(queries)", str(queries.bits), str(len(queries)), str(len(base)),
                     f"{score.mean_average_precision:.4f}", f"{score.precision:.4f} (k={score.k})",
                     f"{score.precision_within:.4f}", base.rule))
        if args.curve:
            name = f"{len(curves) + 1}: {Path(query_path).stem}, {queries.bits} bits"  # numbered like the table's rows
            curves[name] = curve_by_radius(*pair)
    widths = [max(map(len, column)) for column in zip(*rows)]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())
    print(f"\nprotocol {protocol.describe()}")
    if args.curve:
        plot_precision_recall(curves, args.curve)
        print(f"curve written to {args.curve}")
    return 0
