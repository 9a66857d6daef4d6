"""A part of the training images as the test images of data of the same names."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from blobnet.data.images.files import read_image
from blobnet.data.images.mean import mean_image, read_mean
from blobnet.data.stores.copying import copy_records
from blobnet.data.stores.database import open_database
from blobnet.data.stores.hdf5 import read_datasets, write_datasets
from blobnet.data.stores.records import Records
from blobnet.errors import DataError
from blobnet.proto.blobs import write_blob

SHARE = 10    # one of so many images is held out
BLOCK = 1000  # images that are added up at once
LABELS = re.compile(r"(\s+[-+.\d]+)*\s*$")  # behind the path in a line of a list


def replace_queries(validation: Path, sources: Sequence[Path], made: Sequence[Path], way: str) -> None:
    """Write a split's files `sources` to `made`: the part `validation` as the queries, the base without that.

    The others are as they are. `way` goes before the paths in lists.
    """
    held = set(_names(validation))
    for source, path in zip(sources, made):
        source = validation if "_query" in path.name else source
        if path.suffix == ".binaryproto":
            path.write_bytes(source.read_bytes())
            continue
        kept = [n for n, name in enumerate(_names(source)) if "_base" not in path.name or name not in held]
        _copy(source, path, np.array(kept), way)


def _names(path: Path) -> Sequence[str | bytes]:
    """What tells the images of a database or list apart."""
    return list(open_database(path).keys()) if path.is_dir() else _lines(path)


def hold_out(count: int, sources: Sequence[Path], made: Sequence[Path], way: str) -> None:
    """Write a set's files `sources` to `made`: `count` images (0: a tenth) of its training part as the test images.

    The training part is the first of `sources`; what is left of it is the first of `made`, with a mean and tables of
    its own. `way` goes before the paths in lists. DataError for a count that leaves no image.
    """
    train = sources[0]
    size = len(_names(train))
    tables = [path for path in made if path.suffix == ".h5"]
    units = size // 2 if tables else size  # pairs: all sketches stand before all photos
    held = count or units // SHARE
    if not 0 < held < units:
        raise DataError(str(train), expected=f"1 to {units - 1} of {units} to hold out", got=held,
                        hint="say how many in the recipe's field validation")
    drawn = np.random.RandomState(0).permutation(units)  # RandomState: its streams never change
    parts = [np.sort(part) for part in (drawn[held:], drawn[:held])]
    if tables:
        parts = [np.concatenate([part, units + part]) for part in parts]
        for part, path in zip(parts, tables):
            write_datasets(path, _tables(sources[list(made).index(tables[0])], part, size))
    for part, path in zip(parts, made):
        _copy(train, path, part, way)
    for source, path in zip(sources, made):
        if path.suffix == ".binaryproto":
            write_blob(path, mean_image(_images(train, parts[0], len(read_mean(source)))))


def _copy(source: Path, target: Path, numbers: np.ndarray, way: str) -> None:
    """A database or list of these images of another; `way` goes before the paths of a list, if they are no whole ones.
    """
    if source.is_dir():
        copy_records(source, target, numbers.tolist())
        return
    lines = _lines(source)
    moved = [lines[n] if os.path.isabs(lines[n]) else f"{way}/{lines[n]}" for n in numbers]
    target.write_text("".join(moved), "utf-8", "surrogateescape")


def _lines(path: Path) -> list[str]:
    return path.read_text("utf-8", "surrogateescape").splitlines(keepends=True)


def _tables(source: Path, numbers: np.ndarray, size: int) -> dict[str, np.ndarray]:
    """The tables of sketches and photos for the records `numbers` alone, in which triplets count from 0 again."""
    attributes, *triplets = read_datasets(source, ["attributes", "triplets", "pairs"], np.dtype(np.int32))
    place = np.full(size, -1, np.int32)
    place[numbers] = np.arange(len(numbers))
    kept = [place[rows][(place[rows] >= 0).all(axis=1)] for rows in triplets]
    return {"attributes": attributes[numbers].astype(np.uint8), "triplets": kept[0], "pairs": kept[1]}


def _images(train: Path, numbers: np.ndarray, channels: int) -> Iterator[np.ndarray]:
    """Blocks (N, C, H, W) of the images of a database or list."""
    records = Records(open_database(train)) if train.is_dir() else None
    listed = [] if records else [LABELS.sub("", line) for line in _lines(train)]
    for start in range(0, len(numbers), BLOCK):
        block = numbers[start:start + BLOCK].tolist()
        yield np.stack(records.images(block, channels == 3) if records else
                       [read_image(train.parent / listed[n], channels == 3) for n in block])
