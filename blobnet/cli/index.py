"""`blobnet index`: keep the codes of a growing collection in one file."""

from __future__ import annotations

import argparse
import os
from dataclasses import replace

from blobnet.cli._flags import whole
from blobnet.cli._photos import add_photo_flags, encode_like
from blobnet.errors import DataError
from blobnet.hashing.codes import Codes
from blobnet.hashing.shards.build import ITEMS, build_shards
from blobnet.hashing.upkeep import add, contents, remove, require_ids, with_classes
from blobnet.log.table import table

_DESCRIPTION = """\
Keep the codes of a growing collection in one file, without encoding again what is there. A file that 'blobnet encode'
wrote is such an index. Its items are known by their ids, which are paths or keys; it remembers the net, the weights and
the blob that its codes were made of, and takes only codes that were made in the same way."""
_COLUMNS = 12  # shares of ones in a line


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Register `index add`, `index remove`, `index shard` and `index info`."""
    parser = subparsers.add_parser("index", help="add codes to an index, remove some, look into it",
                                   description=_DESCRIPTION)
    commands = parser.add_subparsers(dest="index_command", metavar="COMMAND", required=True)

    adder = commands.add_parser("add", help="add codes, or photos", description=(
        "Add the items of codes files, and photos, which the net of the index encodes. Classes are matched by name; an "
        "index that is not there is made of the first codes file. All is added or, after an error, nothing."))
    adder.add_argument("index", metavar="INDEX.npz", help="the index")
    adder.add_argument("codes", nargs="*", metavar="CODES.npz", help="codes to add")
    adder.add_argument("--images", nargs="+", action="extend", default=[], metavar="PATH",
                       help="photos to add; folders of them; lists of their paths; these are their ids")
    adder.add_argument("--class", dest="classes", action="append", default=[], metavar="NAME",
                       help="the class of all that is added; again for items with several labels")
    adder.add_argument("--replace", action="store_true", help="take the new code of an id that is there already")
    add_photo_flags(adder)
    adder.set_defaults(run=run_add)

    remover = commands.add_parser("remove", help="remove items")
    remover.add_argument("index", metavar="INDEX.npz", help="the index")
    remover.add_argument("ids", nargs="+", metavar="ID", help="ids, or patterns of them such as 'holiday/*'")
    remover.set_defaults(run=run_remove)

    sharder = commands.add_parser("shard", help="make shards of codes files, for bases larger than the memory",
                                  description=("Make a folder of shards, which 'blobnet search --shards DIR' searches "
                                               "without reading them whole: inverted lists of FAISS, which must be "
                                               "installed. Codes files are mapped, and their order is the order of the "
                                               "base. Real values stay behind."))
    sharder.add_argument("codes", nargs="+", metavar="CODES.npz", help="codes files of the same net, weights and rule")
    sharder.add_argument("--out", required=True, metavar="DIR", help="the folder to make")
    sharder.add_argument("--items-per-shard", type=whole(1), default=ITEMS, metavar="N",
                         help=f"the items of a shard (default: {ITEMS:,})")
    sharder.add_argument("--nlist", type=whole(1), metavar="L",
                         help="the lists of a shard (default: 4 sqrt(N), but no fewer than 4 items each)")
    sharder.set_defaults(run=run_shard)

    info = commands.add_parser("info", help="what an index holds")
    info.add_argument("index", metavar="INDEX.npz", help="the index")
    info.set_defaults(run=run_info)


def run_add(args: argparse.Namespace) -> int:
    """Write the index with what is added; the exit status."""
    if not args.codes and not args.images:
        raise DataError("index add", expected="codes files, or photos after --images", got="neither")
    base = Codes.load(args.index) if os.path.exists(args.index) else None
    before = 0 if base is None else len(base)
    for path in args.codes:
        base = _grown(base, Codes.load(path), path, args)
    if base is None:
        raise DataError(args.index, "no such index, so there is no net to encode photos with",
                        hint="'blobnet encode' makes the first codes")
    if args.images:
        photos = encode_like(base, args.index, args.images, args)
        base = replace(base, net=photos.net, weights=photos.weights, blob=photos.blob)  # where they are now
        base = _grown(base, photos, "photos", args)
    base.save(args.index)
    print(f"{args.index}: {len(base)} items, {len(base) - before} more than before")
    return 0


def _grown(base: Codes | None, more: Codes, where: str, args: argparse.Namespace) -> Codes:
    try:
        if args.classes:
            more = with_classes(more, args.classes, more if base is None else base)
        if base is not None:
            return add(base, more, args.replace)
        require_ids(more)
    except DataError as error:
        raise error.inside(where) from None
    return more


def run_remove(args: argparse.Namespace) -> int:
    """Write the index without the items; the exit status."""
    before = Codes.load(args.index)
    after = remove(before, args.ids)
    after.save(args.index)
    print(f"{args.index}: {len(after)} items, {len(before) - len(after)} removed")
    return 0


def run_shard(args: argparse.Namespace) -> int:
    """Make the folder; the exit status."""
    manifest = build_shards(args.codes, args.out, args.items_per_shard, args.nlist)
    size = sum(size for shard in manifest.shards for size, _ in shard.files.values())
    print(f"{args.out}: {len(manifest)} items of {manifest.codes.bits} bits in {len(manifest.shards)} shards of "
          f"{manifest.nlist} lists, {size:,} bytes")
    return 0


def run_info(args: argparse.Namespace) -> int:
    """Print what the index holds; the exit status."""
    codes = Codes.load(args.index)
    found = contents(codes)
    values = 0 if codes.values is None else codes.values.nbytes
    rows = {
        "items": f"{len(codes)}, {found.distinct} different codes", "bits": f"{codes.bits}, {codes.rule}",
        "ones": f"{found.ones.mean():.1%} of the bits, from {found.ones.min():.1%} (bit {found.ones.argmin()}) to "
                f"{found.ones.max():.1%} (bit {found.ones.argmax()})",
        "net": codes.net or "-", "weights": codes.weights or "-", "blob": codes.blob or "-",
        "size": f"{os.path.getsize(args.index):,} bytes, {codes.packed.nbytes:,} of them bits, {values:,} real values"}
    print("\n".join(f"{name:8} {value}" for name, value in rows.items()))
    for start in range(0, codes.bits, _COLUMNS):
        shares = found.ones[start:start + _COLUMNS]
        print("" if start else "each bit", " ".join(f"{share:4.0%}" for share in shares), sep=" " * (9 if start else 1))
    if found.classes:
        print("\n" + table([("class", "items", "share"), *((name, str(count), f"{count / max(1, len(codes)):.1%}")
                                                            for name, count in found.classes)]))
    return 0
