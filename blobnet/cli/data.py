"""blobnet data: import known data sets, divide them as papers do, look into databases."""

from __future__ import annotations

import argparse

from blobnet.data.sets import SETS, import_set, set_paths
from blobnet.data.sets.splits import SPLITS, write_split
from blobnet.data.stores.summary import summarize


def add_parser(subparsers) -> None:
    """Add `data import` and `data info` to the command line."""
    parser = subparsers.add_parser("data", help="import, divide and look into data sets", description=__doc__)
    commands = parser.add_subparsers(dest="data_command", metavar="COMMAND", required=True)

    importer = commands.add_parser(
        "import", help="turn a known data set into LMDBs and a mean image",
        description="Write OUT/NAME_train_lmdb, OUT/NAME_test_lmdb and OUT/NAME_mean.binaryproto. A set of several "
                    "labels an image gets lists and image files in the place of the LMDBs; one with attributes and "
                    "triplets HDF5 files besides.")
    importer.add_argument("name", metavar="NAME", help=", ".join(SETS))
    importer.add_argument("--from", dest="source", metavar="DIR", help="folder of the published files (OUT/NAME)")
    importer.add_argument("--out", metavar="DIR", default="data", help="folder to write into (data)")
    importer.add_argument("--download", action="store_true", help="fetch the files into that folder if missing")

    split = commands.add_parser(
        "split", help="divide an imported set as papers on hashing do",
        description="Write the parts that papers know by NAME as DIR/NAME_query_lmdb, _train_lmdb, _base_lmdb and "
                    "_validation_lmdb, whose images are to choose settings by, and the mean image of the training "
                    "part. Every class gives as many images as any other.")
    split.add_argument("name", metavar="NAME", help=", ".join(SPLITS))
    split.add_argument("--data", metavar="DIR", default="data", help="folder of the set and of its parts (data)")
    split.add_argument("--seed", type=int, default=0, metavar="S", help="of the drawing (0)")

    info = commands.add_parser("info", help="records, shape and labels of a database")
    info.add_argument("path", metavar="PATH", help="folder of the database")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Carry out the command in `args`."""
    if args.data_command == "import":
        present = set_paths(args.name, args.out)[0].exists()
        for path in import_set(args.name, args.out, args.source, args.download):
            print(f"{path} is there already" if present else path)
        return 0
    if args.data_command == "split":
        for path in write_split(args.name, args.data, args.seed):
            print(path)
        return 0
    summary = summarize(args.path)
    print(f"backend  {summary.backend}\nrecords  {summary.records}")
    print(f"image    {' x '.join(map(str, summary.shape))} ({summary.storage})\nlabels")
    width = len(str(max(summary.labels, default=0)))
    for label, count in sorted(summary.labels.items()):
        print(f"  {label:{width}}  {count:7}  {count / summary.records:6.1%}")
    return 0
