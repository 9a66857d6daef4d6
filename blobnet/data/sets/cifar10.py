"""CIFAR-10, binary version: 60,000 colour images of 32 x 32, ten classes.

Source: Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009, and its page,
https://www.cs.toronto.edu/~kriz/cifar.html.
The planes stay in the file's order, red, green, blue, as in Caffe's own cifar10 example.
"""

from __future__ import annotations

import gzip
import tarfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from blobnet.data.sets.files import find_file, missing, warn_if_changed
from blobnet.errors import DataError
from blobnet.proto.budget import allowed

COUNTS = {"train": 50000, "test": 10000}
ARCHIVE = "cifar-10-binary.tar.gz"
MD5 = "c32a1d4ab5d03f1284b67883e8d87530"
DOWNLOADS = {ARCHIVE: (MD5, ["https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz"])}
FILES = {"train": [f"data_batch_{i}.bin" for i in range(1, 6)], "test": ["test_batch.bin"]}
SHAPE, RECORD = (3, 32, 32), 3073  # a record is a label and the pixels


def complete(folder: Path) -> bool:
    """Whether the archive or all its .bin files are in `folder`."""
    return (folder / ARCHIVE).is_file() or all(_binary(folder, name) for names in FILES.values() for name in names)


def read(folder: Path, split: str) -> tuple[np.ndarray, np.ndarray]:
    """Images and labels of a split, from the .bin files in `folder` (or cifar-10-batches-bin there) or the archive."""
    names = FILES[split]
    if all(_binary(folder, name) for name in names):
        contents = [_binary(folder, name).read_bytes() for name in names]
    elif (folder / ARCHIVE).is_file():
        contents = _from_archive(folder / ARCHIVE, names)
    else:
        raise missing("CIFAR-10", folder, next(name for name in names if not _binary(folder, name)))
    count = COUNTS[split] // len(names)
    records = np.concatenate([_records(content, name, count) for content, name in zip(contents, names)])
    return records[:, 1:].reshape(-1, *SHAPE), records[:, 0]


def _binary(folder: Path, name: str) -> Path | None:
    return find_file(folder, [name, f"cifar-10-batches-bin/{name}"])


def _from_archive(path: Path, names: list[str]) -> list[bytes]:
    warn_if_changed(path, MD5)
    left = allowed(path.stat().st_size)
    bounded: Any = _Bounded  # tarfile asks for no more than `read`
    contents: dict[str, bytes] = {}
    try:
        with gzip.open(path) as stream, tarfile.open(fileobj=bounded(stream, left, str(path)), mode="r|") as archive:
            for member in archive:  # nothing is written anywhere
                name = member.name.removeprefix("cifar-10-batches-bin/")
                if name in names and member.isreg():
                    contents[name] = archive.extractfile(member).read()
        return [contents[name] for name in names]
    except KeyError as error:
        raise DataError(str(path), f"has no file cifar-10-batches-bin/{error.args[0]}",
                        hint="fetch it again") from None
    except (tarfile.TarError, zlib.error, EOFError, OSError, ValueError, OverflowError) as error:
        raise DataError(str(path), f"cannot be read ({error})", hint="fetch it again") from error


class _Bounded:
    """A stream of which no more than `left` bytes are read."""

    def __init__(self, stream: gzip.GzipFile, left: int, where: str):
        self.stream, self.left, self.where = stream, left, where

    def read(self, size: int) -> bytes:
        data = self.stream.read(size)
        self.left -= len(data)
        if self.left < 0:
            raise DataError(self.where, "unpacks to more than a file may", hint="fetch it again, or unpack it yourself")
        return data


def _records(content: bytes, name: str, count: int) -> np.ndarray:
    if len(content) != count * RECORD:
        raise DataError(f"CIFAR-10 file {name}", expected=f"{count} records of {RECORD} bytes",
                        got=f"{len(content)} bytes, {len(content) / RECORD:g} records")
    records = np.frombuffer(content, np.uint8).reshape(count, RECORD)
    if records[:, 0].max() > 9:
        raise DataError(f"CIFAR-10 file {name}", expected="labels from 0 to 9", got=int(records[:, 0].max()))
    return records
