"""What `import_folder` left in a folder, for those who write nets for it."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

from blobnet.errors import DataError
from blobnet.proto.storage import require_file

ABOUT = "import.json"
TARGETS = ("train.txt", "test.txt", "mean.binaryproto", "classes.txt", ABOUT, "images")


@dataclass(frozen=True)
class Imported:
    """A folder of imported photos.

    folder: where it is; size: (H, W) of the images; color: whether they have three channels or one; several: whether a
    photo has a row of labels or one class; names: of the classes or labels; train, test: the numbers of photos.
    """

    folder: Path
    size: tuple[int, int]
    color: bool
    several: bool
    names: list[str]
    train: int
    test: int

    def describe(self) -> str:
        """Its numbers in words."""
        kind = "labels" if self.several else "classes"
        return f"{self.train} training and {self.test} test photos, {len(self.names)} {kind}"


def read_import(folder: str | os.PathLike) -> Imported:
    """What is in the folder that `import_folder` wrote; DataError if it is no such folder."""
    folder = Path(folder)
    hint = "blobnet data import PHOTOS --out DIR writes such a folder"
    missing = [name for name in TARGETS if not (folder / name).exists()]
    if missing:
        raise DataError(str(folder), "no imported photos", expected=", ".join(TARGETS),
                        got=f"no {', '.join(missing)}", hint=hint)
    try:
        about = json.loads((folder / ABOUT).read_text("utf-8"))
        (height, width), color, several = about["size"], about["color"], about["several"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise DataError(str(folder / ABOUT), f"damaged ({error!r})", hint=hint) from error
    if not all(type(side) is int and side > 0 for side in (height, width)):
        raise DataError(str(folder / ABOUT), expected="a size above 0", got=f"{height!r} x {width!r}", hint=hint)
    lines = {name: (folder / name).read_bytes().count(b"\n") for name in ("train.txt", "test.txt")}
    return Imported(folder, (height, width), bool(color), bool(several), _names(folder), *lines.values())


def names_beside(source: str | os.PathLike) -> list[str] | None:
    """The names of the classes or labels of a list that lies in an imported folder; None for any other source."""
    path = Path(source)
    return _names(path.parent) if path.suffix == ".txt" and (path.parent / ABOUT).is_file() else None


def _names(folder: Path) -> list[str]:
    return require_file(folder / "classes.txt").read_text("utf-8", "surrogateescape").split("\n")[:-1]
