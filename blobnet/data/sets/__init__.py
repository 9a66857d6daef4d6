"""Known data sets, turned into the LMDBs and mean image that published nets read.

Each set is a module with COUNTS (images of each split), DOWNLOADS (file name: its MD5 and addresses),
`complete(folder)`, whether the files are there, and `read(folder, split)`: uint8 images (N, C, H, W), labels (N,).
Where a label says too little, `tables(folder, split)` gives arrays that go with the images, by name. A set whose images
have several labels each has the names of these in LABELS, and `read` gives rows of 0 and 1 (N, L): such images become
PNG files, and the rows lists for ImageData, since a record of an LMDB has one label. A set that is drawn says in PARTS
what it consists of, and `write(folder, name)` writes that; it has no mean image.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from blobnet.data.images.encode import encode_image
from blobnet.data.images.mean import mean_image
from blobnet.data.sets import cifar10, digits, miml_scene, mnist, qmul_sbir, shape_sets
from blobnet.data.sets.files import download_file
from blobnet.data.sets.together import all_there, together
from blobnet.data.stores.datum import array_to_datum
from blobnet.data.stores.hdf5 import write_datasets
from blobnet.data.stores.lmdb_writer import LmdbWriter
from blobnet.errors import DataError, close_matches
from blobnet.proto.blobs import write_blob

SETS: dict[str, Any] = {"cifar10": cifar10, "digits": digits, "miml_scene": miml_scene, "mnist": mnist,
        "qmul_chairs": qmul_sbir.CHAIRS, "qmul_shoes": qmul_sbir.SHOES, "shapes": shape_sets.BOXES,
        "shapes_masks": shape_sets.MASKS}


def import_set(name: str, out: str | os.PathLike, source: str | os.PathLike | None = None,
               download: bool = False) -> list[Path]:
    """Write NAME_train_lmdb, NAME_test_lmdb and NAME_mean.binaryproto into the folder `out` and return their paths.

    A set with tables gets NAME_train.h5 and NAME_test.h5 as well. A set with LABELS gets lists, NAME_train.txt and
    NAME_test.txt, in the place of the LMDBs, and the folder NAME_images, where the paths in them lead from `out` on.
    Sets that are drawn are other files: `set_paths` says which.

    `source` is the folder of the published files (default: out/NAME); with `download`, they are fetched into it if
    they are not there. All results appear together at the end, so an interrupted import leaves none of them behind. If
    all are there already, nothing is done.
    Raises DataError for unknown sets, for missing or damaged files, and if only a part of the results is there.
    """
    targets = set_paths(name, out)
    data = SETS[name]
    folder = Path(out, name) if source is None else Path(source)
    if all_there(f"data set {name!r}", targets):
        return targets
    if download and not data.complete(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for file, (md5, urls) in data.DOWNLOADS.items():
            download_file(urls, folder / file, md5)
    with together(targets) as made:
        if hasattr(data, "PARTS"):
            data.write(made[0].parent, name)
        else:
            _write_published(name, folder, made)
    return targets


def _write_published(name: str, folder: Path, made: list[Path]) -> None:
    """Write the set `name`, whose files are in `folder`, to the paths `made`."""
    data = SETS[name]
    for split, path in zip(data.COUNTS, made):
        images, labels = data.read(folder, split)
        if len(images) != data.COUNTS[split]:
            raise DataError(f"data set {name!r}", f"{split} split", expected=data.COUNTS[split], got=len(images))
        write = _write_database if labels.ndim == 1 else _write_list
        write(path, images, labels, f"{name} {split}")
        if split == "train":
            write_blob(made[2], mean_image([images]))
    if hasattr(data, "tables"):
        for split, path in zip(data.COUNTS, made[3:]):
            write_datasets(path, data.tables(folder, split))


def set_paths(name: str, out: str | os.PathLike) -> list[Path]:
    """What `import_set` writes into the folder `out`; DataError for unknown sets."""
    if name not in SETS:
        raise DataError(f"data set {name!r}", "is not known", hint=close_matches(name, SETS))
    data = SETS[name]
    if hasattr(data, "PARTS"):
        return [Path(out, f"{name}_{part}") for part in data.PARTS]
    listed = hasattr(data, "LABELS")
    parts = [*(["train.txt", "test.txt"] if listed else ["train_lmdb", "test_lmdb"]), "mean.binaryproto",
             *(["train.h5", "test.h5"] if hasattr(data, "tables") else []), *(["images"] if listed else [])]
    return [Path(out, f"{name}_{part}") for part in parts]


def import_command(name: str, out: str | os.PathLike) -> str:
    """The command line that imports a set into the folder `out`."""
    files = "" if SETS[name].complete(Path(out, name)) else " --from FOLDER"
    return f"blobnet data import {name} --out {out}{files}"


def _write_database(path: Path, images: np.ndarray, labels: np.ndarray, title: str) -> None:
    with LmdbWriter(path) as writer:
        for i, label in enumerate(tqdm(labels.tolist(), title, unit=" images", disable=None)):  # shown on terminals
            writer.put(b"%08d" % i, array_to_datum(images[i], label).SerializeToString())


def _write_list(path: Path, images: np.ndarray, rows: np.ndarray, title: str) -> None:
    """The images as PNG files in the folder NAME_images beside the list `path`, NAME_SPLIT.txt."""
    name, _, split = path.stem.rpartition("_")
    folder = path.parent / f"{name}_images"
    folder.mkdir(exist_ok=True)
    lines = []
    for i, row in enumerate(tqdm(rows.tolist(), title, unit=" images", disable=None)):
        file = f"{folder.name}/{split}_{i:05}.png"
        (path.parent / file).write_bytes(encode_image(images[i], "png"))
        lines.append(f"{file} {' '.join(map(str, row))}\n")
    path.write_text("".join(lines), "utf-8")
