"""Data to choose settings by: the same names in another folder, where images of the training part stand for the test.

Nets and recipes read DATA/validation in the place of DATA, and need no change. What is named as the training images
there lacks those that are held out; these are what is named as the test images, or as the queries. So no image by which
results are reported takes part. The mean image is that of the images left to train with.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from blobnet.data.images.files import read_image
from blobnet.data.images.mean import mean_image, read_mean
from blobnet.data.sets import SETS, set_paths
from blobnet.data.sets.list_splits import LIST_SPLITS, list_split_paths
from blobnet.data.sets.shape_sets import VALIDATION_SEEDS
from blobnet.data.sets.splits import SPLITS, split_paths
from blobnet.data.sets.together import all_there, together
from blobnet.data.stores.copying import copy_records
from blobnet.data.stores.database import open_database
from blobnet.data.stores.hdf5 import read_datasets, write_datasets
from blobnet.data.stores.records import Records
from blobnet.errors import DataError
from blobnet.proto.blobs import write_blob

SHARE = 10    # one of so many images is held out
BLOCK = 1000  # images that are added up at once
LABELS = re.compile(r"(\s+[-+.\d]+)*\s*$")  # behind the path in a line of a list


def validation_folder(data: str | os.PathLike, count: int = 0) -> Path:
    """Where in the folder `data` the images to choose settings by are, `count` of each set, or a tenth for 0."""
    return Path(data, f"validation_{count}" if count else "validation")


def write_validation(name: str, data: str | os.PathLike, count: int = 0) -> list[Path]:
    """Hold out `count` images (0: a tenth) of the training part of a set in the folder `data`; the paths of the result.

    They are in `validation_folder`, under the names that the set has in `data`. Which images are held out is drawn, the
    same ones each time. Of sketches with their photos, `count` pairs are held out. A set that is drawn has its own
    training images, and others for the test. A split with a validation part takes that; the base is then without it.
    If all is there already, nothing is done. DataError for a set that is not there, a count that leaves no image, and
    if the set is younger than what was held out of it.
    """
    data, folder = Path(data), validation_folder(data, count)
    split = SPLITS.get(name)
    before = write_validation(split.parts, data, count) if split and split.parts else []
    sources = _sources(name, data)
    targets = [folder / path.name for path in sources]
    drawn = hasattr(SETS.get(name), "PARTS")
    if all_there(f"validation part of {name!r}", targets):
        if not drawn and _written(targets[0]) < _written(sources[0]):
            raise DataError(str(targets[0]), f"is older than {str(sources[0])!r}, of which it is a part",
                            hint=f"remove the folder {str(folder)!r}, and it is made anew")
        return before + targets
    with together(targets) as made:
        if drawn:
            SETS[name].write(made[0].parent, name, VALIDATION_SEEDS)
        elif name in LIST_SPLITS or split and split.validation:
            _write_split(_validation_part(name, data), sources, made)
        else:
            _hold_out(count, sources, made)
    return before + targets


def _sources(name: str, data: Path) -> list[Path]:
    """The files of a set that have another of their name: those of the training part first; DataError without them."""
    if name in SPLITS or name in LIST_SPLITS:
        found = [path for path in _parts(name, data) if "_validation" not in path.name]
        found.sort(key=lambda path: "_train" not in path.name)
    elif hasattr(SETS.get(name), "PARTS"):
        found = set_paths(name, data)
    else:
        end = "_lmdb" if (data / f"{name}_train_lmdb").exists() else ".txt"
        found = [data / f"{name}_{part}" for part in (f"train{end}", f"test{end}")]
        more = [data / f"{name}_{part}" for part in ("mean.binaryproto", "train.h5", "test.h5")]
        found += [path for path in more if path.exists()]
    if not found[0].exists():
        raise DataError(str(found[0]), f"no training part of a data set {name!r}", hint="import the set first")
    return found


def _parts(name: str, data: Path) -> list[Path]:
    """The parts of a split."""
    return list_split_paths(name, data) if name in LIST_SPLITS else split_paths(name, data)


def _validation_part(name: str, data: Path) -> Path:
    """The images of a split to choose settings by."""
    owner = name if name in LIST_SPLITS else SPLITS[name].parts or name
    return next(path for path in _parts(owner, data) if "_validation" in path.name)


def _written(path: Path) -> int:
    """When a list or database was written."""
    return (path / "data.mdb" if path.is_dir() else path).stat().st_mtime_ns


def _write_split(validation: Path, sources: Sequence[Path], made: Sequence[Path]) -> None:
    """Of a split: its validation part in the place of the queries, its base without that, the rest as it is."""
    held = set(_names(validation))
    for source, path in zip(sources, made):
        source = validation if "_query" in path.name else source
        if path.suffix == ".binaryproto":
            path.write_bytes(source.read_bytes())
            continue
        kept = [n for n, name in enumerate(_names(source)) if "_base" not in path.name or name not in held]
        _copy(source, path, np.array(kept))


def _names(path: Path) -> Sequence[str | bytes]:
    """What tells the images of a database or list apart."""
    return list(open_database(path).keys()) if path.is_dir() else _lines(path)


def _hold_out(count: int, sources: Sequence[Path], made: Sequence[Path]) -> None:
    """Divide the training part, which is the first of `sources`, and what goes with it."""
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
        _copy(train, path, part)
    for source, path in zip(sources, made):
        if path.suffix == ".binaryproto":
            write_blob(path, mean_image(_images(train, parts[0], len(read_mean(source)))))


def _copy(source: Path, target: Path, numbers: np.ndarray) -> None:
    """A database or list of these images of another; paths in a list start one folder below."""
    if source.is_dir():
        copy_records(source, target, numbers.tolist())
        return
    lines = _lines(source)
    moved = [lines[n] if os.path.isabs(lines[n]) else f"../{lines[n]}" for n in numbers]
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
