"""`blobnet search`: the nearest codes of each query, which may be a photo."""

from __future__ import annotations

import argparse
import os

import numpy as np

from blobnet.cli._flags import whole
from blobnet.cli._pages import add_page_flags, check_page_flags, sides, write
from blobnet.cli._photos import add_photo_flags, encode_like
from blobnet.errors import DataError
from blobnet.hashing.codes import Codes
from blobnet.hashing.engines import INDEXES, build_index
from blobnet.hashing.neighbours import Neighbours
from blobnet.hashing.shards.search import PROBED, ShardedIndex
from blobnet.view.web.gallery import gallery

_DESCRIPTION = """\
Find the nearest codes of each query: exact, equal distances in the order of the base. In shards some may be missing
where fewer lists are looked into than there are, see --nprobe.

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
    bases = parser.add_mutually_exclusive_group(required=True)
    bases.add_argument("--base", "--codes", metavar="BASE.npz", help="the codes to search in")
    bases.add_argument("--shards", metavar="DIR", help="the shards to search in, which 'blobnet index shard' made: "
                       "for bases larger than the memory, by the metric hamming, with FAISS")
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
    parser.add_argument("--nprobe", type=whole(1), metavar="P", help="with --shards: the lists of each shard that are "
                        f"looked into; all of them make the search exact (default: {PROBED})")
    parser.add_argument("--mmap", action="store_true", help="leave the base in its file, for bases larger than the "
                        "memory; the file is not checked")
    parser.add_argument("--out", metavar="FILE.npz", help="write the results there instead of printing them")
    add_page_flags(parser, "queries and results as pictures, instead of printing them,")
    add_photo_flags(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Search and print or write; the exit status."""
    check_page_flags(args)
    if args.nprobe and not args.shards:
        raise DataError("search --nprobe", expected="--shards, whose lists it counts", got="none")
    where = args.shards or args.base
    shards = _shards(args) if args.shards else None
    base = shards.codes if shards else Codes.load(where, mmap=args.mmap)
    queries = encode_like(base, where, args.query, args) if args.query else Codes.load(args.queries)
    if not len(queries):
        raise DataError(args.queries, "no queries")
    count = len(shards or base)
    top = min(_TOP, max(1, count)) if args.top is None and args.radius is None else args.top
    found = shards.search(queries, top, args.radius, args.nprobe) if shards else \
        build_index(base, args.metric, args.engine).search(queries, top=top, radius=args.radius)
    if args.out:
        found.save(args.out, codes=where, queries=args.queries or args.query, bits=base.bits, metric=args.metric,
                   top=top, radius=args.radius)
        print(f"{len(found.indices)} results of {len(queries)} queries written to {args.out}")
    places = None
    if shards and len(found.indices):  # of such a base, only what was found is at hand
        places, indices = np.unique(found.indices, return_inverse=True)
        base, found = shards.items(places), found._replace(indices=indices)
    if args.html:
        looked = sides(args, queries, base, (args.queries or "", where), alone=args.queries == where)
        write(gallery(*looked, found, args.metric, f"Search in {os.path.basename(os.path.normpath(where))}"), args)
    if not (args.out or args.html):
        _print_rows(base, queries, found, places)
    return 0


def _shards(args: argparse.Namespace) -> ShardedIndex:
    if args.metric != "hamming" or args.engine != "blobnet":
        raise DataError("search", expected="the metric hamming and no --engine with --shards",
                        got=f"{args.metric}, {args.engine}")
    return ShardedIndex(args.shards)


def _print_rows(base: Codes, queries: Codes, found: Neighbours, places: np.ndarray | None) -> None:
    """`places`: where the items of `base` are in the base that was searched, if elsewhere."""
    labelled = base.labels is not None
    print("query", "rank", "distance", "item", *["label"] * labelled, sep="\t")
    for query in range(len(queries)):
        for rank, number in enumerate(range(found.offsets[query], found.offsets[query + 1]), 1):
            item, distance = found.indices[number], found.distances[number]
            shown = distance if distance.dtype.kind == "i" else f"{distance:.6g}"
            labels = [",".join(base.label_names(item))] * labelled
            name = _name(base, item) if places is None or base.ids is not None else places[item]
            print(_name(queries, query), rank, shown, name, *labels, sep="\t")


def _name(codes: Codes, place: int) -> object:
    return place if codes.ids is None else codes.ids[place]
