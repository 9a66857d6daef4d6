"""`blobnet encode`: turn the images of a database, of a list or of a folder into hash codes."""

from __future__ import annotations

import argparse
from dataclasses import replace

from blobnet.cli._extensions import load_extensions
from blobnet.cli._flags import add_extension_flags, whole
from blobnet.cli._gpus import add_tf32_flag, device_of
from blobnet.cli._photos import bar, encode_given
from blobnet.core.context import TEST
from blobnet.core.net import Net
from blobnet.data.sets.imported import names_beside
from blobnet.errors import DataError
from blobnet.hashing.codes import Codes
from blobnet.hashing.encode import encode, label_blob, set_source
from blobnet.hashing.photos import CHANNELS
from blobnet.netdef.load import load

_DESCRIPTION = """\
Run a net over every image of its database or list once, in the TEST phase, and write the values of one blob as codes:
real values, packed bits (1 where a value is at least the threshold, or for the largest of each block), labels, and the
database's keys or the list's paths as ids, in one .npz file that `blobnet search` and `blobnet evaluate` read. Beside a
list of an imported folder, the names of its classes too.

With --images it runs over photos of any size instead, which are turned upright, resized and transformed as the net's
data layer has its images. Their codes have the paths as ids, and no labels."""


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Register the command."""
    parser = subparsers.add_parser("encode", help="turn images into hash codes", description=_DESCRIPTION)
    parser.add_argument("net", metavar="NET.prototxt", help="the net, with one layer that reads a database, a list "
                        "of images or other records")
    parser.add_argument("--weights", required=True, metavar="FILE.caffemodel", help="its weights")
    parser.add_argument("--blob", required=True, metavar="NAME", help="the blob whose values are the codes")
    parser.add_argument("--label", metavar="NAME", help="the blob of the labels (label, or what the "
                        "layer that reads them calls its first labels)")
    parser.add_argument("--threshold", type=float, metavar="T", help="a bit is 1 where a value is at "
                        "least T (0); 0.5 for sigmoid outputs")
    parser.add_argument("--block-size", type=whole(2), metavar="B", help="make structured codes: a 1 for the largest "
                        "of each B values, as for the output of a BlockSoftmax")
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--source", metavar="PATH", help="read this database, or this list, instead of the net's own")
    source.add_argument("--images", nargs="+", metavar="PATH", help="photos; folders of them; lists, with paths that "
                        "start at the list's folder")
    parser.add_argument("--channels", choices=CHANNELS, help="the order of the colours that the net learnt, for "
                        "--images and a net that reads a database of raw bytes")
    parser.add_argument("--count", type=whole(), metavar="N", help="only the first N images (default: all)")
    parser.add_argument("--gpu", type=int, metavar="N", help="run on this GPU (default: the CPU)")
    add_tf32_flag(parser)
    add_extension_flags(parser)
    parser.add_argument("--out", required=True, metavar="CODES.npz", help="the file to write")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Encode and write the file; the exit status."""
    if args.block_size is not None and args.threshold is not None:
        raise DataError("encode", expected="--threshold or --block-size", got="both",
                        hint="the largest of each block is its 1, whatever the threshold")
    for flag in ("count", "label"):
        if args.images and getattr(args, flag):
            raise DataError("encode", f"--{flag} beside --images", hint="photos are all encoded, and have no labels")
    load_extensions(args.plugin)
    if args.images:
        codes, source = encode_given(args.images, args.net, args.weights, args.blob, args, args.threshold or 0.0,
                                     args.block_size), " ".join(args.images)
    else:
        codes, source = _records(args)
    codes.save(args.out)
    size = f"{len(codes)} code{'s' * (len(codes) != 1)} of {codes.capacity:g} bit{'s' * (codes.capacity != 1)}"
    print(f"{args.out}: {size}, {codes.rule}, from {source}")
    return 0


def _records(args: argparse.Namespace) -> tuple[Codes, str]:
    """The codes of the records of the net's source, or of another one, and its path."""
    definition = load(args.net, TEST)
    source, images = set_source(definition, args.net, args.source or None)
    count, label = args.count or images, args.label or label_blob(definition, args.net)
    net = Net(definition, TEST, args.weights, device=device_of(args.gpu), origin=args.net,
              python_layers=args.python_layers, allow_tf32=args.tf32)
    with bar(count) as progress:
        codes = encode(net, args.blob, count, label, args.threshold or 0.0, progress.update, args.net, args.weights)
    names = names_beside(source)
    if names and codes.labels is not None:
        codes = replace(codes, classes=tuple(names))
    return codes if args.block_size is None else codes.in_blocks(args.block_size), source
