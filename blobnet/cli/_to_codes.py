"""`blobnet convert` with codes files: to Parquet, FAISS and PostgreSQL, and from Parquet."""

from __future__ import annotations

import argparse
from pathlib import Path

from blobnet.cli._flags import whole
from blobnet.errors import BlobnetError
from blobnet.hashing.codes import Codes
from blobnet.hashing.exchange import faiss_files
from blobnet.hashing.exchange.faiss_files import write_faiss
from blobnet.hashing.exchange.parquet import read_parquet, write_parquet
from blobnet.hashing.exchange.sql import TABLE, write_sql

ENDINGS = {"parquet": ".parquet", "faiss": ".faiss", "sql": ".sql"}


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags of codes."""
    group = parser.add_argument_group("codes for other engines")
    group.add_argument("--faiss-index", choices=faiss_files.KINDS, default="flat",
                       help="faiss: every item is compared, those of a few inverted lists, or those that a graph leads "
                       "to (default: flat)")
    group.add_argument("--nlist", type=whole(1), metavar="L", help="faiss ivf: the lists (default: 4 sqrt(N))")
    group.add_argument("--links", type=whole(1), metavar="M", default=faiss_files.LINKS,
                       help=f"faiss hnsw: the links of an item (default: {faiss_files.LINKS})")
    group.add_argument("--table", metavar="NAME", default=TABLE, help=f"sql: the table (default: {TABLE})")


def is_about_codes(source: str, target: str) -> bool:
    """Whether the names of the files ask for codes."""
    return _suffix(source) == ".parquet" or _suffix(target) in ENDINGS.values()


def convert(args: argparse.Namespace) -> int:
    """Write the codes, and say what was written and left out; the exit status."""
    target = args.target or str(Path(args.source).with_suffix(ENDINGS[args.to]))
    ending = _suffix(target)
    expected = [ENDINGS[args.to]] if args.to else [".npz", *ENDINGS.values()]
    if ending not in expected:
        raise BlobnetError(target, f"--to {args.to}" if args.to else "codes", got=Path(target).name,
                           expected=f"a name that ends in {' or '.join(expected)}")
    codes = read_parquet(args.source) if _suffix(args.source) == ".parquet" else Codes.load(args.source)
    left = [name for name in ("values", "labels") if getattr(codes, name) is not None]
    notes = []
    if ending == ".npz":
        codes.save(target)
    elif ending == ".parquet":
        write_parquet(codes, target)
    elif ending == ".faiss":
        write_faiss(codes, target, args.faiss_index, args.nlist, args.links)
        notes = [f"{target}.ids: the ids of the rows"] * (codes.ids is not None)
        notes += [f"{-codes.bits % 8} zeros after each code, as FAISS takes whole bytes"] * bool(codes.bits % 8)
        notes += [f"left out: {', '.join(left)}"] * bool(left)
    else:
        write_sql(codes, target, args.table)
        notes = ["left out: values"] * ("values" in left)
    print("\n".join([f"{target}: {len(codes)} codes of {codes.bits} bits from {args.source}", *notes]))
    return 0


def _suffix(path: str) -> str:
    return Path(path).suffix.lower()
