"""Data to choose settings by: the same names in another folder, where images of the training part stand for the test.

Nets and recipes read DATA/validation in the place of DATA, and need no change. What is named as the training images
there lacks those that are held out; these are what is named as the test images, or as the queries. So no image by which
results are reported takes part. The mean image is that of the images left to train with.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from blobnet.data.sets import SETS, set_paths
from blobnet.data.sets.held_out import hold_out, replace_queries
from blobnet.data.sets.list_splits import LIST_SPLITS, list_split_paths
from blobnet.data.sets.shape_sets import VALIDATION_SEEDS
from blobnet.data.sets.splits import SPLITS, split_paths
from blobnet.data.sets.together import all_there, together
from blobnet.errors import DataError


def validation_folder(data: str | os.PathLike, count: int = 0) -> Path:
    """Where in the folder `data` the images to choose settings by are, `count` of each set, or a tenth for 0."""
    return Path(data, f"validation_{count}" if count else "validation")


def write_validation(name: str, data: str | os.PathLike, count: int = 0) -> list[Path]:
    """Hold out `count` images (0: a tenth) of the training part of a set in the folder `data`; the paths of the result.

    They are in `validation_folder`, under the names that the set has in `data`: NAME_train_lmdb, NAME_train.txt, or
    NAME/train.txt of a folder of photos. Which images are held out is drawn, the same ones each time. Of sketches with
    their photos, `count` pairs are held out. A set that is drawn has its own training images, and others for the test.
    A split with a validation part takes that; the base is then without it.
    If all is there already, nothing is done. DataError for a set that is not there, a count that leaves no image, and
    if the set is younger than what was held out of it.
    """
    data, folder = Path(data), validation_folder(data, count)
    split = SPLITS.get(name)
    before = write_validation(split.parts, data, count) if split and split.parts else []
    sources = _sources(name, data)
    targets = [folder / path.relative_to(data) for path in sources]
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
            replace_queries(_validation_part(name, data), sources, made, _way(sources, targets))
        else:
            hold_out(count, sources, made, _way(sources, targets))
    return before + targets


def _sources(name: str, data: Path) -> list[Path]:
    """The files of a set that have another of their name: those of the training part first; DataError without them."""
    if name in SPLITS or name in LIST_SPLITS:
        found = [path for path in _parts(name, data) if "_validation" not in path.name]
        found.sort(key=lambda path: "_train" not in path.name)
    elif hasattr(SETS.get(name), "PARTS"):
        found = set_paths(name, data)
    else:
        if Path(name).is_absolute() or ".." in Path(name).parts:  # there its own images would stand for the others
            raise DataError(f"data set {name!r}", expected="a set in the data folder, to hold out a part of it",
                            got="one elsewhere", hint="import it into that folder, or give its folder with --data")
        start = f"{name}/" if (data / name / "train.txt").exists() else f"{name}_"
        end = "_lmdb" if (data / f"{name}_train_lmdb").exists() else ".txt"
        found = [data / f"{start}{part}" for part in (f"train{end}", f"test{end}")]
        more = [data / f"{start}{part}" for part in ("mean.binaryproto", "train.h5", "test.h5")]
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


def _way(sources: Sequence[Path], targets: Sequence[Path]) -> str:
    """What goes before a path of a list that is now elsewhere."""
    return Path(os.path.relpath(sources[0].parent, targets[0].parent)).as_posix()
