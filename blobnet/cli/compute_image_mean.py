"""`blobnet compute_image_mean`: the mean image of a database."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Iterator

import numpy as np
from tqdm import tqdm

from blobnet.cli._databases import add_backend_flag, open_reader, require_folder_of
from blobnet.data.images.files import in_parallel
from blobnet.data.images.mean import mean_image
from blobnet.data.stores.base import Reader
from blobnet.data.stores.datum import datum_to_array, parse_datum
from blobnet.errors import DataError
from blobnet.log.console import console
from blobnet.proto.blobs import write_blob

log = logging.getLogger(__name__)
CHUNK = 128  # images that are added up at a time

_DESCRIPTION = """\
Compute the mean image of a database, write it into a file for mean_file, and print the mean of every channel. Quirk:
Caffe adds images up in float32; blobnet's sums are exact, and the same up to 65,793 images."""


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Register the command."""
    parser = subparsers.add_parser("compute_image_mean", help="compute the mean image of a database",
                                   description=_DESCRIPTION)
    parser.add_argument("database", metavar="INPUT_DB", help="the folder of the database")
    parser.add_argument("target", metavar="OUTPUT_FILE", nargs="?", help="the file to write, such as mean.binaryproto")
    add_backend_flag(parser, None, "the kind of database (default: what is there)")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Compute, write and print; the exit status."""
    records = open_reader(args.database, args.backend)
    if args.target:
        require_folder_of(args.target)
    with console():
        log.info("Starting iteration")
        mean = mean_image(_blocks(records))
        if args.target:
            log.info("Write to %s", args.target)
            write_blob(args.target, mean)
        log.info("Number of channels: %d", len(mean))
        for number, channel in enumerate(mean):
            total = np.add.accumulate(channel.ravel(), dtype=np.float32)[-1]  # one by one, as Caffe rounds
            log.info("mean_value channel [%d]: %g", number, total / np.float32(channel.size))
    return 0


def _blocks(records: Reader) -> Iterator[np.ndarray]:
    """The images of a database, some at a time; DataError unless all have one shape."""
    def image(item: tuple[int, bytes]) -> np.ndarray:
        where = f"{records.where} record {item[0]}"
        datum = parse_datum(item[1], where)
        if item[0] == 0 and datum.encoded:
            log.info("Decoding Datum")
        return datum_to_array(datum, where=where)

    shape, done = None, 0
    with tqdm(unit="images", disable=not sys.stderr.isatty()) as bar:
        for chunk in _chunks(records):
            images = in_parallel(image, chunk)
            shape = shape or images[0].shape
            for array in images:
                if array.shape != shape:
                    raise DataError(f"{records.where} record {done}", got=array.shape,
                                    expected=f"an image of shape {shape}, as the first",
                                    hint="resize the images when they are converted")
                done += 1
                if done % 10000 == 0:
                    log.info("Processed %d files.", done)
            yield np.stack(images)
            bar.update(len(images))
    if done % 10000:
        log.info("Processed %d files.", done)


def _chunks(records: Reader) -> Iterator[list[tuple[int, bytes | memoryview]]]:
    """The numbers and values of all records, CHUNK at a time. A LevelDB would have to count them for its length."""
    chunk = []
    while True:
        chunk.append((records.position, records.read()))
        ended = records.position == 0
        if ended or len(chunk) == CHUNK:
            yield chunk
            chunk = []
        if ended:
            return
