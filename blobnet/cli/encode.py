"""`blobnet encode`: turn the images of a database or a list into hash codes."""

from __future__ import annotations

import argparse
import sys

from tqdm import tqdm

from blobnet.cli._extensions import load_extensions
from blobnet.cli._flags import add_extension_flags, whole
from blobnet.cli._gpus import add_tf32_flag
from blobnet.core.context import TEST
from blobnet.core.net import Net
from blobnet.errors import DataError
from blobnet.hashing.encode import encode, label_blob, set_source
from blobnet.netdef.load import load

_DESCRIPTION = """\
Run a net over every image of its database or list once, in the TEST phase, and write the values of one blob as codes:
real values, packed bits (1 where a value is at least the threshold, or for the largest of each block), labels, and the
database's keys or the list's paths as ids, in one .npz file that `blobnet search` and `blobnet evaluate` read."""


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
    parser.add_argument("--source", metavar="PATH", help="read this database, or this list, instead of the net's "
                        "own")
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
    load_extensions(args.plugin)
    definition = load(args.net, TEST)
    source, images = set_source(definition, args.net, args.source or None)
    count, label = args.count or images, args.label or label_blob(definition, args.net)
    net = Net(definition, TEST, args.weights, device="cpu" if args.gpu is None else f"gpu:{args.gpu}", origin=args.net,
              python_layers=args.python_layers, allow_tf32=args.tf32)
    with tqdm(total=count, unit="images", disable=not sys.stderr.isatty()) as bar:
        codes = encode(net, args.blob, count, label, args.threshold or 0.0, bar.update, args.net, args.weights)
    if args.block_size is not None:
        codes = codes.in_blocks(args.block_size)
    codes.save(args.out)
    size = f"{len(codes)} code{'s' * (len(codes) != 1)} of {codes.capacity:g} bit{'s' * (codes.capacity != 1)}"
    print(f"{args.out}: {size}, {codes.rule}, from {source}")
    return 0
