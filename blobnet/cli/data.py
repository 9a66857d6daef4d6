"""blobnet data: import data sets and folders of photos, divide sets as papers do, look into databases."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from blobnet.cli._flags import whole
from blobnet.data.sets import SETS, import_set, set_paths
from blobnet.data.sets.folder import import_folder
from blobnet.data.sets.imported import ABOUT, read_import
from blobnet.data.sets.list_splits import LIST_SPLITS, write_list_split
from blobnet.data.sets.splits import SPLITS, write_split
from blobnet.data.stores.summary import summarize
from blobnet.errors import DataError, close_matches, within

_IMPORT = """\
Of a known set, write OUT/NAME_train_lmdb, OUT/NAME_test_lmdb and OUT/NAME_mean.binaryproto. A set of several labels an
image gets lists and image files in the place of the LMDBs; one with attributes and triplets HDF5 files besides.

Of a folder of photos, of which each folder in it is a class, or whose labels are in a table, write upright copies of
one size into OUT/images, lists of them, OUT/train.txt and OUT/test.txt, OUT/mean.binaryproto and OUT/classes.txt.
Folders named train and test in it say which photo is what. `blobnet new hashing --data OUT` writes a net for them."""


def add_parser(subparsers) -> None:
    """Add `data import` and `data info` to the command line."""
    parser = subparsers.add_parser("data", help="import, divide and look into data sets", description=__doc__)
    commands = parser.add_subparsers(dest="data_command", metavar="COMMAND", required=True)

    importer = commands.add_parser("import", help="turn a known data set, or a folder of photos, into what nets read",
                                   description=_IMPORT)
    importer.add_argument("name", metavar="NAME|FOLDER", help=", ".join(SETS) + ", or a folder of photos")
    importer.add_argument("--out", metavar="DIR", help="folder to write into (data; of a folder data/NAME)")
    known = importer.add_argument_group("of a known set")
    known.add_argument("--from", dest="source", metavar="DIR", help="folder of the published files (OUT/NAME)")
    known.add_argument("--download", action="store_true", help="fetch the files into that folder if missing")
    photos = importer.add_argument_group("of a folder of photos")
    photos.add_argument("--labels", metavar="FILE.csv", help="the labels, several a photo: the heading image,label and "
                        "names with semicolons between them; or image and the labels, and a 0 or 1 for each")
    photos.add_argument("--size", type=_size, metavar="S|WxH", help="pixels of the copies (64)")
    photos.add_argument("--test", type=float, metavar="SHARE", help="share of the test photos (0.2)")
    photos.add_argument("--seed", type=whole(0), metavar="N", help="chooses the test photos (1)")
    photos.add_argument("--gray", action="store_true", help="make gray copies")
    photos.add_argument("--leave-out", action="store_true", help="leave out photos that are damaged, or there twice "
                        "with other labels")

    split = commands.add_parser(
        "split", help="divide an imported set as papers on hashing do",
        description="Write the parts that papers know by NAME as DIR/NAME_query_lmdb, _train_lmdb, _base_lmdb and "
                    "_validation_lmdb, whose images are to choose settings by, and the mean image of the training "
                    "part. Every class gives as many images as any other. NUS-WIDE, ImageNet-100 and MS-COCO are "
                    "divided by lists that you bring, test.txt, train.txt and database.txt; the parts are lists too.")
    split.add_argument("name", metavar="NAME", help=", ".join([*SPLITS, *LIST_SPLITS]))
    split.add_argument("--from", dest="lists", metavar="DIR", help="folder of the lists")
    split.add_argument("--root", metavar="DIR", help="folder of the images in the lists (that of the lists)")
    split.add_argument("--data", metavar="DIR", default="data", help="folder of the set and of its parts (data)")
    split.add_argument("--seed", type=int, default=0, metavar="S", help="of the drawing (0)")

    info = commands.add_parser("info", help="records, shape and labels of a database")
    info.add_argument("path", metavar="PATH", help="folder of the database")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Carry out the command in `args`."""
    if args.data_command == "import":
        return _import_set(args) if args.name in SETS or not os.path.isdir(args.name) else _import_folder(args)
    if args.data_command == "split":
        for path in _split(args):
            print(path)
        return 0
    summary = summarize(args.path)
    print(f"backend  {summary.backend}\nrecords  {summary.records}")
    print(f"image    {' x '.join(map(str, summary.shape))} ({summary.storage})\nlabels")
    width = len(str(max(summary.labels, default=0)))
    for label, count in sorted(summary.labels.items()):
        print(f"  {label:{width}}  {count:7}  {count / summary.records:6.1%}")
    return 0


def _import_set(args: argparse.Namespace) -> int:
    hint = "" if args.name in SETS else "nor is there such a folder"
    with within("", hint):
        present = set_paths(args.name, args.out or "data")[0].exists()
    _refuse(args, ("labels", "size", "test", "seed", "gray", "leave_out"), "a known set")
    for path in import_set(args.name, args.out or "data", args.source, args.download):
        print(f"{path} is there already" if present else path)
    return 0


def _import_folder(args: argparse.Namespace) -> int:
    _refuse(args, ("source", "download"), "a folder of photos")
    folder = os.path.normpath(args.name)
    out = args.out or os.path.join("data", os.path.basename(os.path.abspath(folder)))
    present = os.path.exists(os.path.join(out, ABOUT))
    flags = {name: getattr(args, name) for name in ("labels", "size", "test", "seed")}
    given = {name: value for name, value in flags.items() if value is not None}
    for line in import_folder(folder, out, color=not args.gray, leave_out=args.leave_out, **given):
        print(f"left out: {line}")
    print(f"{out} is there already" if present else out, read_import(out).describe(), sep=": ")
    return 0


def _refuse(args: argparse.Namespace, flags: tuple[str, ...], what: str) -> None:
    """DataError for flags that belong to the other kind of import."""
    for flag in flags:
        if getattr(args, flag) not in (None, False):
            name = "from" if flag == "source" else flag.replace("_", "-")
            raise DataError(f"--{name}", f"does not go with {what}, {args.name!r}")


def _size(text: str) -> tuple[int, int]:
    """(H, W) of "64" or of "80x60", width first."""
    words = text.lower().split("x")
    if len(words) > 2 or not all(word.isascii() and word.isdigit() and int(word) for word in words):
        raise argparse.ArgumentTypeError(f"expected a size such as 64 or 80x60, got {text!r}")
    return int(words[-1]), int(words[0])


def _split(args: argparse.Namespace) -> list[Path]:
    """Write the parts of a split by name."""
    listed = args.name in LIST_SPLITS
    if not listed and args.name not in SPLITS:
        raise DataError(f"split {args.name!r}", "is not known", hint=close_matches(args.name, [*SPLITS, *LIST_SPLITS]))
    if listed != bool(args.lists):
        raise DataError(f"split {args.name!r}", expected="--from with the folder of its lists" if listed
                        else "no --from, as it divides an imported set", got="none" if listed else args.lists)
    if listed:
        return write_list_split(args.name, args.data, args.lists, args.root or args.lists, args.seed)
    return write_split(args.name, args.data, args.seed)
