"""The parts of a set that papers on hashing use by name: queries, images to train with, images to search in.

The images come from both parts of the imported set, as the authors of DPSH draw them; a class gives as many to each
part as any other. The records keep the images' bytes. What a record is called says which image it is, test_00000123
for record 00000123 of NAME_test_lmdb; in the training part the place in a random order stands before that.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from blobnet.data.images.mean import mean_image
from blobnet.data.sets import import_command, set_paths
from blobnet.data.sets.together import all_there, together
from blobnet.data.stores.database import open_database
from blobnet.data.stores.lmdb_writer import LmdbWriter
from blobnet.data.stores.records import Records
from blobnet.errors import DataError, close_matches
from blobnet.proto.blobs import write_blob


@dataclass(frozen=True)
class Split:
    """How a set is divided: of every class so many queries, training images, and images to choose settings by.

    base: what is searched in: "rest", all images that are neither queries nor training images, those of the validation
    part among them; "train", the training images, which have no second database; "others", all that are no queries.
    parts: the split that has the other parts, if it is not this one.
    """

    source: str
    query: int
    train: int
    validation: int
    base: str
    parts: str = ""


SPLITS = {
    "cifar10-I": Split("cifar10", 100, 500, 100, "rest"),
    "cifar10-59000": Split("cifar10", 100, 500, 100, "others", parts="cifar10-I"),
    "cifar10-II": Split("cifar10", 1000, 5000, 0, "train"),
}


def split_paths(name: str, data: str | os.PathLike) -> list[Path]:
    """What `write_split` writes into the folder `data`; DataError for unknown splits.

    >>> [path.name for path in split_paths("cifar10-II", "data")]
    ['cifar10_II_query_lmdb', 'cifar10_II_train_lmdb', 'cifar10_II_mean.binaryproto']
    """
    if name not in SPLITS:
        raise DataError(f"split {name!r}", "is not known", hint=close_matches(name, SPLITS))
    split, prefix = SPLITS[name], name.replace("-", "_")
    if split.parts:
        return [Path(data, f"{prefix}_base_lmdb")]
    ends = ["query_lmdb", "train_lmdb", *(["base_lmdb"] if split.base == "rest" else []),
            *(["validation_lmdb"] if split.validation else []), "mean.binaryproto"]
    return [Path(data, f"{prefix}_{end}") for end in ends]


def write_split(name: str, data: str | os.PathLike, seed: int = 0) -> list[Path]:
    """Write the parts of a split of a set that was imported into the folder `data`, as LMDBs, and return their paths.

    They are NAME_query_lmdb, NAME_train_lmdb in a random order, NAME_base_lmdb, NAME_validation_lmdb with images of the
    base that are neither queries nor for training, and NAME_mean.binaryproto, the mean of the training part; "-" in the
    name becomes "_". cifar10-59000 is another base for the parts of cifar10-I, which are written if they are missing.
    The same seed draws the same images on every machine. Parts that are there already are left as they are.
    DataError for unknown splits, a set that is not there, a class with too few images, a wrong seed, and if there are
    other images than this seed draws, or only some of the parts.
    """
    targets = split_paths(name, data)
    split = SPLITS[name]
    if not 0 <= seed < 1 << 32:
        raise DataError(f"split {name!r}", expected="a seed from 0 to 2^32 - 1", got=seed)
    before = write_split(split.parts, data, seed) if split.parts else []
    records = _Images(split.source, Path(data))
    chosen = records.draw(split, seed)
    if all_there(f"split {name!r}", targets):
        for path in targets:
            _check_drawn(path, chosen, records, seed)
        return before + targets
    with together(targets) as made:
        for path in made:
            if path.suffix == ".binaryproto":
                write_blob(path, records.mean(chosen["train"]))
            else:
                records.write(path, chosen[_part(path)], shuffled=_part(path) == "train")
    return before + targets


def _part(path: Path) -> str:
    """query, train, base or validation."""
    return path.name.split("_")[-2]


class _Images:
    """The images of an imported set, those of the test part behind those of the training part, by number."""

    def __init__(self, source: str, data: Path):
        missing = [path for path in set_paths(source, data)[:2] if not path.exists()]
        if missing:
            raise DataError(str(missing[0]), f"no data set {source!r}",
                            hint=f"import it: {import_command(source, data)}")
        self.parts, self.ids = [], []
        for split, path in zip(("train", "test"), set_paths(source, data)):
            reader = open_database(path)
            self.ids += [f"{split}_{key.decode('utf-8', 'backslashreplace')}" for key in reader.keys()]
            self.parts.append(Records(reader))
        self.labels = np.concatenate([part.labels() for part in self.parts])

    def draw(self, split: Split, seed: int) -> dict[str, np.ndarray]:
        """The numbers of the images of each part, in the order of the records."""
        random = np.random.RandomState(seed)  # its streams never change
        sizes = [split.query, split.train, split.validation]
        drawn: list[list[np.ndarray]] = [[], [], []]
        for label in np.unique(self.labels):
            numbers = random.permutation(np.flatnonzero(self.labels == label))
            if len(numbers) < sum(sizes):
                raise DataError(f"class {label} of {split.source}", expected=f"{sum(sizes)} images or more",
                                got=len(numbers))
            for part, chosen in zip(drawn, np.split(numbers, np.cumsum(sizes))):
                part.append(chosen)
        query, train, validation = (np.sort(np.concatenate(part)) for part in drawn)
        others = np.setdiff1d(np.arange(len(self.labels)), query)
        base = others if split.base == "others" else np.setdiff1d(others, train)
        return {"query": query, "train": random.permutation(train), "validation": validation, "base": base}

    def keys(self, numbers: np.ndarray, shuffled: bool) -> list[bytes]:
        """What the records are called; `shuffled`: so that they stay in this order."""
        return [f"{place:08}_{self.ids[n]}".encode() if shuffled else self.ids[n].encode()
                for place, n in enumerate(numbers)]

    def write(self, path: Path, numbers: np.ndarray, shuffled: bool) -> None:
        """A database of these images."""
        with LmdbWriter(path) as writer:
            for key, n in zip(self.keys(numbers, shuffled), numbers):
                writer.put(key, bytes(self._value(n)))

    def mean(self, numbers: np.ndarray) -> np.ndarray:
        """The mean of these images (C, H, W)."""
        first = len(self.parts[0])
        return mean_image(np.stack(part.images(own.tolist())) for part, own in
                          zip(self.parts, (numbers[numbers < first], numbers[numbers >= first] - first)) if len(own))

    def _value(self, n: int) -> bytes | memoryview:
        first = len(self.parts[0])
        return self.parts[0].value(n) if n < first else self.parts[1].value(n - first)


def _check_drawn(path: Path, chosen: dict[str, np.ndarray], records: _Images, seed: int) -> None:
    """DataError unless the database holds the images that were drawn."""
    if path.suffix == ".binaryproto":
        return
    part = _part(path)
    if list(open_database(path).keys()) != sorted(records.keys(chosen[part], part == "train")):
        raise DataError(str(path), f"has other images than the seed {seed} draws",
                        hint="give the seed it was written with, remove the parts, or write into another folder")
