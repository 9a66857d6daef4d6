"""`blobnet convert_annoset`: turn image files and the boxes of their objects into a database."""

from __future__ import annotations

import argparse
import logging
import os
from collections.abc import Mapping

import numpy as np
from google.protobuf.message import Message

from blobnet.cli._flags import flag, switch
from blobnet.cli._imagesets import add_image_arguments, convert
from blobnet.data.images.annotations import READERS, read_annotated_list
from blobnet.data.images.decode import open_image
from blobnet.data.images.lists import read_image_list
from blobnet.data.stores.annotated_datum import annotated_datum
from blobnet.errors import DataError
from blobnet.proto.files import read_message
from blobnet.proto.messages import new
from blobnet.proto.storage import require_file

log = logging.getLogger(__name__)

_DESCRIPTION = """\
Turn the images of a list into a database of AnnotatedDatum records for AnnotatedData layers, as SSD's program does. For
--anno_type detection the list has "image annotation" a line: the paths of an image and of a file with its boxes, in
pixels. Quirks: ROOTFOLDER is put before both paths as it is, so it needs its slash at the end; images that cannot be
read are left out, with an error line each; an image whose file of boxes is not there has none; --encoded keeps files as
convert_imageset does. Corners may have fractions: SSD's program takes 0 for them."""


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Register the command."""
    parser = subparsers.add_parser("convert_annoset", help="turn image files and boxes into a database",
                                   description=_DESCRIPTION)
    add_image_arguments(parser, '"image annotation", or "image label",')
    flag(parser, "--anno_type", choices=("classification", "detection"), default="classification",
         help="labels or boxes (default: classification)")
    flag(parser, "--label_type", choices=READERS, default="xml",
         help="Pascal VOC's xml, MS COCO's json, one file an image, or a txt with \"label xmin ymin xmax ymax\" a line "
         "(default: xml)")
    flag(parser, "--label_map_file", default="", metavar="FILE", help="a LabelMap with the names and their labels")
    switch(parser, "--check_label", "stop if the label map has a name twice")
    flag(parser, "--min_dim", type=int, default=0, metavar="N", help="enlarge images so that no side is smaller")
    flag(parser, "--max_dim", type=int, default=0, metavar="N", help="then shrink them so that no side is larger")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Convert; the exit status."""
    def resized(path: str) -> tuple[int, int] | None:
        if args.min_dim > 0 or args.max_dim > 0:
            size = _size(path)
            scaled = scaled_size(size, args.min_dim, args.max_dim)
            return scaled if scaled != size else None
        return (args.resize_height, args.resize_width) if args.resize_height > 0 else None

    if args.anno_type == "classification":
        paths, labels = read_image_list(args.list)
        return convert(args, paths, labels, lambda n, datum: new("AnnotatedDatum", datum=datum), resized)
    names = _names(args)
    paths, files = read_annotated_list(args.list)

    def complete(number: int, datum: Message) -> Message:
        size = _size(args.root + paths[number])
        if datum.encoded:  # SSD's program wants to know
            datum.channels = 1 if args.gray else 3
            datum.height, datum.width = resized(args.root + paths[number]) or size
        file = args.root + files[number]
        rows = READERS[args.label_type](file, size, names) if os.path.isfile(file) else []
        if any(not 0 <= corner <= 1 for row in rows for corner in row[1:5]):
            log.warning("%s bounding box exceeds image boundary.", file)
        if any(row[1] > row[3] or row[2] > row[4] for row in rows):
            log.warning("%s bounding box irregular.", file)
        return annotated_datum(datum, rows)

    return convert(args, paths, np.full(len(paths), -1), complete, resized)


def scaled_size(size: tuple[int, int], least: int, most: int) -> tuple[int, int]:
    """Height and width with the smaller of both enlarged to `least`, if that is above 0, and then the larger of both no
    larger than `most`, likewise.

    >>> scaled_size((300, 400), 600, 700), scaled_size((300, 400), 100, 1000)
    ((525, 700), (300, 400))
    """
    factor = np.float32(1)
    if 0 < min(size) < least:
        factor = np.float32(least) / np.float32(min(size))
    if most > 0 and int(factor * np.float32(max(size))) > most:
        factor = np.float32(most) / np.float32(max(size))
    height, width = (max(1, round(float(factor) * side)) for side in size)
    return height, width


def _size(path: str) -> tuple[int, int]:
    """Height and width of an image file."""
    image = open_image(require_file(path).read_bytes(), f"image {path!r}")
    return image.height, image.width


def _names(args: argparse.Namespace) -> Mapping[str, int]:
    """The labels by their names; DataError if there is no label map, and with --check_label for a name given twice."""
    if not args.label_map_file:
        if args.label_type == "txt":
            return {}
        raise DataError("convert_annoset", expected="--label_map_file with --anno_type detection", got="none")
    names: dict[str, int] = {}
    for item in read_message(args.label_map_file, "LabelMap").item:
        if args.check_label and item.name in names:
            raise DataError(args.label_map_file, f"has the name {item.name!r} twice")
        names[item.name] = item.label
    return names
