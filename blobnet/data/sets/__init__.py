"""Known data sets, turned into the LMDBs and mean image that published nets read.

Each set is a module with COUNTS (images of each split), DOWNLOADS (file name: its MD5 and addresses),
`complete(folder)`, whether the files are there, and `read(folder, split)`: uint8 images (N, C, H, W), labels (N,).
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import numpy as np
from tqdm import tqdm

from blobnet.data.datum import array_to_datum
from blobnet.data.lmdb_store import LmdbWriter
from blobnet.data.mean import mean_image
from blobnet.data.sets import cifar10, digits, mnist
from blobnet.data.sets.files import download_file
from blobnet.errors import DataError, close_matches
from blobnet.proto.blobs import write_blob

SETS = {"cifar10": cifar10, "digits": digits, "mnist": mnist}


def import_set(name: str, out: str | os.PathLike, source: str | os.PathLike | None = None,
               download: bool = False) -> list[Path]:
    """Write NAME_train_lmdb, NAME_test_lmdb and NAME_mean.binaryproto into the folder `out` and return their paths.

    `source` is the folder of the published files (default: out/NAME); with `download`, they are fetched into it if
    they are not there. The results appear all at the end, so an interrupted import leaves nothing behind.
    Raises DataError for unknown sets, missing or damaged files, and results that are there already.
    """
    targets = set_paths(name, out)
    data, out = SETS[name], Path(out)
    folder = out / name if source is None else Path(source)
    present = [str(path) for path in targets if path.exists()]
    if present:
        raise DataError(f"data set {name!r}", f"{', '.join(present)} already there", hint="remove or write elsewhere")
    out.mkdir(parents=True, exist_ok=True)
    if download and not data.complete(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for file, (md5, urls) in data.DOWNLOADS.items():
            download_file(urls, folder / file, md5)
    with tempfile.TemporaryDirectory(prefix=f".{name}_", dir=out) as temporary:
        made = [Path(temporary) / path.name for path in targets]
        for split, path in zip(data.COUNTS, made):
            images, labels = data.read(folder, split)
            if len(images) != data.COUNTS[split]:
                raise DataError(f"data set {name!r}", f"{split} split", expected=data.COUNTS[split], got=len(images))
            _write(path, images, labels, f"{name} {split}")
            if split == "train":
                write_blob(made[-1], mean_image([images]))
        for temporary_path, path in zip(made, targets):
            os.replace(temporary_path, path)
    return targets


def set_paths(name: str, out: str | os.PathLike) -> list[Path]:
    """What `import_set` writes into the folder `out`; DataError for unknown sets."""
    if name not in SETS:
        raise DataError(f"data set {name!r}", "is not known", hint=close_matches(name, SETS))
    return [Path(out, f"{name}_{part}") for part in ("train_lmdb", "test_lmdb", "mean.binaryproto")]


def _write(path: Path, images: np.ndarray, labels: np.ndarray, title: str) -> None:
    with LmdbWriter(path) as writer:
        for i, label in enumerate(tqdm(labels.tolist(), title, unit=" images", disable=None)):  # shown on terminals
            writer.put(b"%08d" % i, array_to_datum(images[i], label).SerializeToString())
