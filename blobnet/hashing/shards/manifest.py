"""The manifest of a folder of shards: what lies in it, and whether it is whole.

shards.json is JSON text:

    {"format": "blobnet shards", "version": 1, "nlist": the lists of each shard,
     "codes": {"bits": K, and the other fields of the header of a codes file},
     "shards": [{"start": the place of its first item in the whole base, "count": its items,
                 "files": {name: [bytes, CRC-32 of the first MiB]}} …]}

Shard n has two files: NNNNN.faiss, an IndexBinaryIVF whose ids are places in the shard, and NNNNN.npz, a codes file of
the same items, with their labels and ids.
"""

from __future__ import annotations

import json
import os
import zlib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from blobnet.errors import DataError, ShapeError
from blobnet.hashing.codes import FIELDS, Codes
from blobnet.proto.storage import atomic_write, require_file

NAME, FORMAT, VERSION = "shards.json", "blobnet shards", 1
_HEAD = 1 << 20  # bytes; of an index they hold all that is no list: were these wrong, FAISS would read anywhere
AGAIN = "make the shards again with 'blobnet index shard'"


@dataclass(frozen=True)
class Shard:
    """`count` items from the place `start` on; files: their names, (size in bytes, CRC-32 of the first MiB)."""

    start: int
    count: int
    files: dict[str, tuple[int, int]]


@dataclass(frozen=True)
class Manifest:
    """nlist: the lists of each shard; codes: no items, but how those of the shards were made; shards in their order."""

    nlist: int
    codes: Codes
    shards: tuple[Shard, ...]

    def __len__(self) -> int:
        return sum(shard.count for shard in self.shards)

    def save(self, folder: str | os.PathLike) -> None:
        """Write FOLDER/shards.json, whole or not at all."""
        text = json.dumps({"format": FORMAT, "version": VERSION, "nlist": self.nlist,
                           "codes": {name: getattr(self.codes, name) for name in FIELDS},
                           "shards": [asdict(shard) for shard in self.shards]}, indent=1)
        with atomic_write(Path(folder, NAME)) as file:
            file.write(text.encode())

    @classmethod
    def load(cls, folder: str | os.PathLike) -> Manifest:
        """Read the manifest, and look whether the files are those that it speaks of: DataError, naming the file.

        The names, sizes and first MiB of the files are checked; all their bytes are not.
        """
        path = require_file(Path(folder, NAME))
        try:
            read = json.loads(path.read_text("utf-8"))
            found = read["format"], read["version"]
            if found == (FORMAT, VERSION):
                manifest = cls._of(read)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError, DataError, ShapeError) as error:
            raise DataError(str(path), f"a damaged manifest ({type(error).__name__}: {error})", hint=AGAIN) from error
        if found != (FORMAT, VERSION):
            raise DataError(str(path), expected=f"{FORMAT}, version {VERSION}", got=found, hint=AGAIN)
        for shard in manifest.shards:
            for name, expected in shard.files.items():
                got = checked(Path(folder, name))
                if got != expected:
                    raise DataError(os.path.join(folder, name), "damaged, or not of these shards", got=_said(got),
                                    expected=_said(expected), hint=AGAIN)
        return manifest

    @classmethod
    def _of(cls, read: dict[str, Any]) -> Manifest:
        fields = {name: read["codes"][name] for name in FIELDS}
        codes = Codes(np.empty((0, -(-fields["bits"] // 8)), np.uint8), **fields)
        shards = tuple(Shard(shard["start"], shard["count"], {name: tuple(file) for name, file in
                                                              shard["files"].items()}) for shard in read["shards"])
        place = 0
        for number, shard in enumerate(shards):
            if (shard.start, sorted(shard.files)) != (place, sorted(files_of(number))) or shard.count < 1:
                raise ValueError(f"shard {number} starts at {shard.start} with {sorted(shard.files)}")
            place += shard.count
        if not shards or not 1 <= read["nlist"]:
            raise ValueError(f"{len(shards)} shards of {read['nlist']} lists")
        return cls(read["nlist"], codes, shards)


def files_of(number: int) -> tuple[str, str]:
    """The names of a shard's files: the index and the codes."""
    return f"{number:05}.faiss", f"{number:05}.npz"


def _said(file: tuple[int, int]) -> str:
    return "{} bytes, the first MiB with the CRC-32 {}".format(*file)


def checked(path: Path) -> tuple[int, int]:
    """The size of a file in bytes, and the CRC-32 of its first MiB; MissingFile if it is not there."""
    with open(require_file(path), "rb") as file:
        return os.fstat(file.fileno()).st_size, zlib.crc32(file.read(_HEAD))
