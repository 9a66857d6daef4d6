"""`blobnet search`: the nearest codes of each query, which may be a photo."""

from __future__ import annotations

import argparse
import os

from blobnet.cli._pages import add_page_flags, check_page_flags, sides, write
from blobnet.cli._photos import add_photo_flags, encode_like
from blobnet.errors import DataError
from blobnet.hashing.codes import Codes
from blobnet.hashing.engines import INDEXES, build_index
from blobnet.hashing.neighbours import Neighbours
from blobnet.view.web.gallery import gallery

_DESCRIPTION = """\
Find the nearest codes of each query: exact, equal distances in the order of the base.

metrics:
  hamming        distance in bits
  asymmetric     minus the inner product of the query's real values with the base's codes: the bits as +1 and -1, or
                 the blocks of structured codes
  l2, cosine, inner-product
                 of the real values: the Euclidean distance, 1 - cosine, minus the inner product

Prints one line per result: query, rank, distance, item and, where the base has labels, its label; queries and items
by their ids, or their places from 0 on; labels by the names of the classes, or their numbers. With --out the results
go into an .npz file instead: header (JSON text), offsets (Q + 1), indices and distances; query q has
indices[offsets[q]:offsets[q + 1]], places in the base."""
_TOP = 10


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Register the command."""
    parser = subparsers.add_parser("search", help="find the nearest codes of each query", description=_DESCRIPTION)
    parser.add_argument("--base", "--codes", required=True, metavar="BASE.npz", help="the codes to search in")
    queries = parser.add_mutually_exclusive_group(required=True)
    queries.add_argument("--queries", metavar="QUERIES.npz", help="the codes to search for")
    queries.add_argument("--query", nargs="+", action="extend", metavar="PHOTO", help="photos to search for, folders "
                         "or lists of them: they are encoded by the net that the base was made with")
    parser.add_argument("--top", type=int, metavar="N", help=f"at most N a query (default: {_TOP}; all with --radius)")
    parser.add_argument("--radius", type=float, metavar="R", help="only results at most so far away")
    parser.add_argument("--metric", default="hamming", metavar="NAME", help=f"{', '.join(INDEXES)} (default: hamming)")
    parser.add_argument("--engine", default="blobnet", metavar="NAME",
                        help="blobnet, which compares with every item; multi-index, tables that spare most of "
                        "that where few bits differ; or faiss, which must be installed (default: blobnet)")
    parser.add_argument("--mmap", action="store_true", help="leave the base in its file, for bases larger than the "
                        "memory; the file is not checked")
    parser.add_argument("--out", metavar="FILE.npz", help="write the results there instead of printing them")
    add_page_flags(parser, "queries and results as pictures, instead of printing them,")
    add_photo_flags(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Search and print or write; the exit status."""
    check_page_flags(args)
    base = Codes.load(args.base, mmap=args.mmap)
    queries = encode_like(base, args.base, args.query, args) if args.query else Codes.load(args.queries)
    if not len(queries):
        raise DataError(args.queries, "no queries")
    top = min(_TOP, max(1, len(base))) if args.top is None and args.radius is None else args.top
    found = build_index(base, args.metric, args.engine).search(queries, top=top, radius=args.radius)
    if args.out:
        found.save(args.out, codes=args.base, queries=args.queries or args.query, bits=base.bits, metric=args.metric,
                   top=top, radius=args.radius)
        print(f"{len(found.indices)} results of {len(queries)} queries written to {args.out}")
    if args.html:
        looked = sides(args, queries, base, (args.queries or "", args.base), alone=args.queries == args.base)
        write(gallery(*looked, found, args.metric, f"Search in {os.path.basename(args.base)}"), args)
    if not (args.out or args.html):
        _print_rows(base, queries, found)
    return 0


def _print_rows(base: Codes, queries: Codes, found: Neighbours) -> None:
    labelled = base.labels is not None
    print("query", "rank", "distance", "item", *["label"] * labelled, sep="\t")
    for query in range(len(queries)):
        places = range(found.offsets[query], found.offsets[query + 1])
        for rank, place in enumerate(places, 1):
            item, distance = found.indices[place], found.distances[place]
            shown = distance if distance.dtype.kind == "i" else f"{distance:.6g}"
            labels = [",".join(base.label_names(item))] * labelled
            print(_name(queries, query), rank, shown, _name(base, item), *labels, sep="\t")


def _name(codes: Codes, place: int) -> object:
    return place if codes.ids is None else codes.ids[place]
