"""MNIST: 70,000 handwritten digits of 28 x 28, gray.

Source: LeCun, Cortes and Burges, The MNIST database of handwritten digits; the IDX format is described on its page,
http://yann.lecun.com/exdb/mnist/. The addresses below are mirrors.
"""

from __future__ import annotations

import gzip
import struct
import zlib
from pathlib import Path

import numpy as np

from blobnet.data.sets.files import CHUNK, find_file, missing, warn_if_changed
from blobnet.errors import DataError
from blobnet.proto.budget import allowed, require

COUNTS = {"train": 60000, "test": 10000}
MD5 = {"train-images-idx3-ubyte.gz": "f68b3c2dcbeaaa9fbdd348bbdeb94873",
       "train-labels-idx1-ubyte.gz": "d53e105ee54ea40749a09fcbcd1e9432",
       "t10k-images-idx3-ubyte.gz": "9fb629c4189551a2d022fa330f9573f3",
       "t10k-labels-idx1-ubyte.gz": "ec29112dd5afa0611ce80d1b7f02629c"}
MIRRORS = ["https://ossci-datasets.s3.amazonaws.com/mnist/", "https://storage.googleapis.com/cvdf-datasets/mnist/"]
DOWNLOADS = {name: (md5, [mirror + name for mirror in MIRRORS]) for name, md5 in MD5.items()}
PREFIX = {"train": "train", "test": "t10k"}


def complete(folder: Path) -> bool:
    """Whether all four files are in `folder`."""
    return all(_find(folder, name) for name in MD5)


def read(folder: Path, split: str) -> tuple[np.ndarray, np.ndarray]:
    """Images and labels of a split, from IDX files compressed or not."""
    images = _read(folder, f"{PREFIX[split]}-images-idx3-ubyte.gz", axes=3)
    labels = _read(folder, f"{PREFIX[split]}-labels-idx1-ubyte.gz", axes=1)
    if len(images) != len(labels):
        raise DataError(f"MNIST {split} files", expected=f"{len(images)} labels, one an image", got=len(labels))
    return images[:, np.newaxis], labels


def _find(folder: Path, name: str) -> Path | None:
    plain = name.removesuffix(".gz")
    return find_file(folder, [name, plain, plain.replace("-idx", ".idx")])


def _read(folder: Path, name: str, axes: int) -> np.ndarray:
    path = _find(folder, name)
    if path is None:
        raise missing("MNIST", folder, name)
    if path.suffix != ".gz":
        return parse_idx(path.read_bytes(), axes, str(path))
    warn_if_changed(path, MD5[name])
    most, content = allowed(path.stat().st_size), bytearray()
    try:
        with gzip.open(path) as file:
            while len(content) <= most and (chunk := file.read(CHUNK)):  # read(most) would take so much at once
                content += chunk
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(str(path), f"cannot be unpacked ({error})", hint="fetch it again") from error
    require(len(content), str(path), "what it unpacks to, at least", path.stat().st_size)
    return parse_idx(content, axes, str(path))


def parse_idx(content: bytes | bytearray, axes: int, where: str = "IDX file") -> np.ndarray:
    """The uint8 array in an IDX file: two zero bytes, type 8, the number of axes, their lengths (big-endian), values.

    >>> parse_idx(bytes([0, 0, 8, 1, 0, 0, 0, 2, 5, 7]), axes=1)
    array([5, 7], dtype=uint8)
    """
    start = 4 + 4 * axes
    if len(content) < start or content[:4] != bytes([0, 0, 8, axes]):
        raise DataError(where, expected=f"IDX, starting 00 00 08 {axes:02}", got=content[:4].hex(" ") or "nothing")
    shape = struct.unpack(f">{axes}I", content[4:start])
    values = np.frombuffer(content, np.uint8, offset=start)
    if values.size != np.prod(shape, dtype=object):
        raise DataError(where, expected=f"{' x '.join(map(str, shape))} values", got=values.size)
    return values.reshape(shape)
