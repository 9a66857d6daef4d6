"""What the commands share that turn lists of image files into databases."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Callable, Iterator

import numpy as np
from google.protobuf.message import Message
from tqdm import tqdm

from blobnet.cli._databases import WRITERS, add_backend_flag
from blobnet.cli._flags import flag, switch
from blobnet.data.images.encode import extension, require_encoding
from blobnet.data.images.files import in_parallel
from blobnet.data.stores.datum import image_record
from blobnet.errors import DataError
from blobnet.log.console import console

log = logging.getLogger(__name__)
CHUNK = 128  # images that are decoded before they are written
Size = tuple[int, int]


def add_image_arguments(parser: argparse.ArgumentParser, lines: str) -> None:
    """Add ROOTFOLDER/, LISTFILE with such `lines`, DB_NAME and the flags of Caffe's convert_imageset."""
    parser.add_argument("root", metavar="ROOTFOLDER/", help="what the paths of the list begin with")
    parser.add_argument("list", metavar="LISTFILE", help=f"the list, {lines} a line")
    parser.add_argument("database", metavar="DB_NAME", help="the folder of the new database")
    switch(parser, "--gray", "read the images as gray ones")
    switch(parser, "--shuffle", "put them into a random order")
    add_backend_flag(parser, "lmdb", "the kind of database (default: lmdb)")
    flag(parser, "--resize_width", type=int, default=0, metavar="W", help="resize the images, with --resize_height")
    flag(parser, "--resize_height", type=int, default=0, metavar="H", help="resize the images, with --resize_width")
    switch(parser, "--check_size", "stop unless all images have the same number of values")
    switch(parser, "--encoded", "store compressed images")
    flag(parser, "--encode_type", default="", metavar="TYPE",
         help="png, jpg …: how to compress them; as their files if not given")


def convert(args: argparse.Namespace, paths: list[str], labels: np.ndarray,
            complete: Callable[[int, Message], Message] = lambda n, datum: datum,
            resized: Callable[[str], Size | None] | None = None) -> int:
    """Convert the images of a list; the exit status.

    Records are what `complete` makes of a number in the list and the Datum of its image. Images that cannot be read are
    left out; errors of `complete` go on. `resized` tells the size of an image by its path, if the flags do not.
    """
    size, encode_type = _checked(args)
    _check_root(args.root, paths)
    with console():
        order = np.arange(len(paths))
        if args.shuffle:
            log.info("Shuffling data")
            np.random.default_rng().shuffle(order)
        log.info("A total of %d images.", len(paths))
        if encode_type and not args.encoded:
            log.info("encode_type specified, assuming encoded=true.")

        def record(place: int) -> tuple[bytes, bytes, int] | DataError:
            """Key, value and number of values of the image at `place`, or why there is none."""
            number = order[place]
            path = paths[number]
            if not os.path.isfile(args.root + path):
                return DataError(args.root + path, "no such file")
            encoding = encode_type or (extension(path) if args.encoded else "")
            if args.encoded or encoding:
                require_encoding(encoding, f"image {path!r}")
            try:
                datum, count = image_record(args.root + path, int(labels[number]), not args.gray,
                                            resized(args.root + path) if resized else size, encoding)
            except DataError as error:
                return error
            return b"%08d_%s" % (place, os.fsencode(path)), complete(number, datum).SerializeToString(), count

        with WRITERS[args.backend](args.database) as database:
            count = _write(database.put, _records(record, len(paths)), args.check_size)
            if not count:
                raise DataError(args.list, f"none of its {len(paths)} images could be read")
        if count < len(paths):
            log.warning("%d of %d images could not be read.", len(paths) - count, len(paths))
    return 0


def _checked(args: argparse.Namespace) -> tuple[Size | None, str]:
    """(H, W) that images are resized to, if they are, and the format that they are stored in, if it is given."""
    width, height = max(0, args.resize_width), max(0, args.resize_height)
    if bool(width) != bool(height):
        raise DataError("size of the images", expected="--resize_width and --resize_height, or neither",
                        got=f"{width} and {height}")
    encode_type = args.encode_type.lower()
    if encode_type:
        require_encoding(encode_type, "--encode_type")
    return (height, width) if width else None, encode_type


def _check_root(root: str, paths: list[str]) -> None:
    """DataError for a wrong folder, which would leave out all images."""
    folder = os.path.dirname(root) or "."
    if not os.path.isdir(folder):
        raise DataError(f"ROOTFOLDER {root!r}", f"there is no folder {folder!r}")
    if not os.path.isfile(root + paths[0]) and os.path.isfile(os.path.join(root, paths[0])):
        raise DataError(f"ROOTFOLDER {root!r}", f"there is no file {root + paths[0]!r}", hint="add a slash at the end")


def _records(record: Callable, count: int) -> Iterator:
    for start in range(0, count, CHUNK):
        yield from in_parallel(record, range(start, min(start + CHUNK, count)))


def _write(put: Callable, records: Iterator, check_size: bool) -> int:
    """Put the records into a database and return how many they were."""
    done, size = 0, None
    for record in tqdm(records, unit="images", disable=not sys.stderr.isatty()):
        if isinstance(record, DataError):
            log.error("Could not open or find file %s", record)
            continue
        key, value, count = record
        size = count if size is None else size
        if check_size and count != size:
            raise DataError(os.fsdecode(key[9:]), expected=f"{size} values, as the first image has", got=count,
                            hint="resize with --resize_height and --resize_width, or leave out --check_size")
        put(key, value)
        done += 1
        if done % 1000 == 0:
            log.info("Processed %d files.", done)
    if done % 1000:
        log.info("Processed %d files.", done)
    return done
