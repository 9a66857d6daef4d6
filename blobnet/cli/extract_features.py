"""`blobnet extract_features`: write the values of blobs, batch by batch, into databases or files."""

from __future__ import annotations

import argparse
import contextlib
import logging
import sys
import zipfile
from collections.abc import Callable, Iterator, Mapping

import numpy as np
from tqdm import tqdm

from blobnet.backend import to_host
from blobnet.cli._databases import WRITERS, require_folder_of
from blobnet.cli._extensions import load_extensions
from blobnet.cli._flags import add_extension_flags, whole, words
from blobnet.cli._gpus import first_device
from blobnet.cli._nets import log_weights
from blobnet.core.blob import Blob
from blobnet.core.context import TEST
from blobnet.core.net import Net
from blobnet.data.stores.hdf5 import write_datasets
from blobnet.errors import NetError, ShapeError, close_matches
from blobnet.log.console import console
from blobnet.proto.messages import new
from blobnet.proto.storage import atomic_write

log = logging.getLogger(__name__)

_DESCRIPTION = """\
Run a net in the TEST phase over batches of its data, and write the values of one or several blobs: into databases of
Datum records with float_data, keys 0000000000, 0000000001 …, or into .h5 or .npz files, an array of a blob's name each.
Quirk: records of a database have no labels; extract the blob of the labels too."""


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Register the command."""
    parser = subparsers.add_parser("extract_features", help="write the values of blobs",
                                   description=_DESCRIPTION)
    parser.add_argument("weights", metavar="WEIGHTS.caffemodel", type=words,
                        help="the weights; several files with commas")
    parser.add_argument("model", metavar="NET.prototxt", help="the net, with a data layer")
    parser.add_argument("blobs", metavar="BLOB[,BLOB…]", type=words, help="the blobs")
    parser.add_argument("outputs", metavar="DATASET[,DATASET…]", type=words, help="what to write each of them to")
    parser.add_argument("batches", metavar="NUM_MINI_BATCHES", type=whole(1), help="how many batches")
    parser.add_argument("kind", metavar="DB_TYPE", choices=[*WRITERS, "hdf5", "npz"], help="%(choices)s")
    parser.add_argument("mode", metavar="CPU|GPU", nargs="?", choices=["CPU", "GPU"], default="CPU",
                        help="where to run (default: CPU)")
    parser.add_argument("device", metavar="DEVICE_ID", nargs="?", type=whole(0), default=0, help="which GPU (0)")
    add_extension_flags(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Extract; the exit status."""
    if len(args.blobs) != len(args.outputs) or len(set(args.outputs)) < len(args.outputs):
        raise NetError("extract_features", expected=f"as many different datasets as blobs, {len(args.blobs)}",
                       got=", ".join(args.outputs))
    if args.weights[:1] and args.weights[0].endswith(".prototxt") and args.model.endswith(".caffemodel"):
        raise NetError("extract_features", expected="the weights, and then the net",
                       got=f"{args.weights[0]} and then {args.model}")
    for path in args.outputs:
        require_folder_of(path)
    load_extensions(args.plugin)
    with console():
        net = Net(args.model, TEST, args.weights, device=first_device([args.device] if args.mode == "GPU" else []),
                  python_layers=args.python_layers)
        log_weights(args.weights)
        for blob in args.blobs:
            if blob not in net.blobs:
                raise NetError(args.model, f"no blob {blob!r} to extract", hint=close_matches(blob, net.blobs))
        sink = _array_sink if args.kind in ("hdf5", "npz") else _database_sink
        with contextlib.ExitStack() as stack:  # all datasets appear at its end
            sinks = []
            for blob, path in zip(args.blobs, args.outputs):
                log.info("Opening dataset %s", path)
                sinks.append((blob, stack.enter_context(sink(path, args.kind, blob))))
            log.info("Extracting Features")
            extraction = _Extraction(net.blobs, sinks)
            with net.watched_by(extraction):
                for _ in tqdm(range(args.batches), unit="batches", disable=not sys.stderr.isatty()):
                    net.forward()
            net.context.doubts.settle()
        for blob, count in zip(args.blobs, extraction.counts):
            log.info("Extracted features of %d query images for feature blob %s", count, blob)
        log.info("Successfully extracted the features!")
    return 0


class _Extraction:
    """A watcher that gives the values of blobs to their sinks after every forward pass.

    A sink takes a blob's values (N, C, H, W) and the number of those before them; counts: how many each was given.
    """

    def __init__(self, blobs: Mapping[str, Blob], sinks: list[tuple[str, Callable]]):
        self.blobs, self.sinks, self.counts = blobs, sinks, [0] * len(sinks)

    def after_forward_pass(self, whole: bool) -> None:
        for i, (name, put) in enumerate(self.sinks):
            blob, before = self.blobs[name], self.counts[i]
            put(to_host(blob.data), before)
            self.counts[i] += blob.shape[0] if blob.shape else 1
            if before // 1000 < self.counts[i] // 1000:
                log.info("Extracted features of %d query images for feature blob %s", self.counts[i], name)


@contextlib.contextmanager
def _database_sink(path: str, kind: str, blob: str) -> Iterator[Callable]:
    with WRITERS[kind](path) as database:
        def put(values: np.ndarray, start: int) -> None:
            if values.ndim > 4:
                raise ShapeError(f"blob {blob!r}", expected="at most 4 axes for a database", got=values.shape,
                                 hint="extract it as hdf5 or npz")
            shape = (*values.shape, 1, 1, 1, 1)[:4]
            fields = dict(zip(("channels", "height", "width"), shape[1:]))
            for i, row in enumerate(values.reshape(shape[0], -1).tolist(), start):
                database.put(b"%010d" % i, new("Datum", float_data=row, **fields).SerializeToString())
        yield put


@contextlib.contextmanager
def _array_sink(path: str, kind: str, blob: str) -> Iterator[Callable]:
    parts: list[np.ndarray] = []

    def put(values: np.ndarray, start: int) -> None:
        if parts and parts[0].shape[1:] != values.shape[1:]:
            raise ShapeError(f"blob {blob!r}", expected=f"images of one shape, {parts[0].shape[1:]}",
                             got=values.shape[1:], hint="extract it as lmdb")
        parts.append(np.array(values).reshape(values.shape or 1))

    yield put
    values = np.concatenate(parts)
    if kind == "hdf5":
        write_datasets(path, {blob: values})
        return
    with atomic_write(path) as file, zipfile.ZipFile(file, "w") as archive:  # np.savez cannot take every name
        with archive.open(f"{blob}.npy", "w", force_zip64=True) as member:
            np.lib.format.write_array(member, values)
