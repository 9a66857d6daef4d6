"""The data sets of a recipe: imported or divided where they are missing; parts of them that settings are chosen by."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from blobnet.data.sets import SETS, import_command, import_set, set_paths
from blobnet.data.sets.list_splits import LIST_SPLITS, list_split_paths
from blobnet.data.sets.splits import SPLITS, split_paths, write_split
from blobnet.data.sets.validation import validation_folder, write_validation
from blobnet.errors import DataError, close_matches
from blobnet.recipes.recipe import Recipe

PART = re.compile(r"(.+)[_/](?:train|test)(?:_lmdb|\.txt)")


def require_data(name: str, data: Path, note: Callable[[str], object]) -> None:
    """Import the data set if nothing of it is there and no file is missing for that; DataError if it is not there.

    A split by name is written from the set that it divides.
    """
    if name in SPLITS:
        if not all(path.exists() for path in split_paths(name, data)):
            require_data(SPLITS[name].source, data, note)
            note(f"  divides the data set {SPLITS[name].source} in {data}: {name}")
            write_split(name, data)
        return
    if name in LIST_SPLITS:
        lacking = [path for path in list_split_paths(name, data) if not path.exists()]
        if lacking:
            raise DataError(str(lacking[0]), f"no parts of {name!r}",
                            hint=f"write them: blobnet data split {name} --data {data} --from LISTS --root IMAGES")
        return
    if name not in SETS:
        raise DataError(f"data set {name!r}", "is not known", hint=close_matches(name, [*SETS, *SPLITS, *LIST_SPLITS]))
    paths = set_paths(name, data)
    absent = [path for path in paths if not path.exists()]
    if absent == paths and SETS[name].complete(data / name):
        note(f"  imports the data set {name} into {data}")
        import_set(name, data)
    elif absent:
        raise DataError(str(absent[0]), f"no data set {name!r}", hint=f"import it: {import_command(name, data)}")


def validation_data(recipe: Recipe, data: Path, note: Callable[[str], object]) -> Path:
    """The folder to read in the place of `data`, with a part of each training set in the place of the test images.

    A recipe that names no data set has those whose parts its options name, such as NAME of base: NAME_train_lmdb.
    DataError for queries and a base that are not in the data folder, and as for `write_validation`.
    """
    for value in _values(recipe):
        if Path(value).is_absolute():
            raise DataError(f"{recipe.path}: {value!r}", expected="queries and base in the data folder, such as "
                            "NAME_train_lmdb", got="a path of their own", hint="to hold out a part, name them so")
    folder = validation_folder(data, recipe.validation)
    note(f"  reads {folder}, where held-out training images are the queries or test images")
    for name in recipe.data or _named(recipe):
        write_validation(name, data, recipe.validation)
    return folder


def _named(recipe: Recipe) -> list[str]:
    """The sets whose training or test part is the queries or the base."""
    return sorted({found[1] for found in map(PART.fullmatch, _values(recipe)) if found})


def _values(recipe: Recipe) -> list[str]:
    """The queries and bases of all methods."""
    chosen = [recipe.options(method, full) for method in recipe.methods for full in (False, True)]
    return [options[name] for options in chosen for name in ("queries", "base") if name in options]
