"""A user's folder of photos, turned into lists, small copies and a mean image that nets read."""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from tqdm import tqdm

from blobnet.data.images.decode import decode_image, open_image
from blobnet.data.images.encode import ENCODINGS, encode_image, extension
from blobnet.data.images.files import in_parallel, read_image
from blobnet.data.images.mean import mean_image
from blobnet.data.images.photos import is_hidden, read_photo
from blobnet.data.sets.imported import ABOUT, TARGETS
from blobnet.data.sets.labelled import Labelled, photos_by_folder, photos_by_table, split
from blobnet.data.sets.together import all_there, together
from blobnet.errors import FEW, DataError
from blobnet.proto.blobs import write_blob

CHUNK = 256  # photos that are in memory at a time


def import_folder(folder: str | os.PathLike, out: str | os.PathLike, *, labels: str | os.PathLike | None = None,
                  size: tuple[int, int] = (64, 64), test: float = 0.2, seed: int = 1, color: bool = True,
                  leave_out: bool = False) -> list[str]:
    """Write the photos of `folder` into the folder `out`, as nets read them; return what was left out, a line each.

    The classes are the folders in it or, with `labels`, what a table says: see blobnet.data.sets.labelled. `out` gets

        images/           copies, upright, of `size` (H, W), in colour or gray, under their paths in `folder`; photos
                          that are so already are copied as they are
        train.txt         a line a photo: its path from `out` on, and its class, or a 0 or 1 for each label
        test.txt          likewise the share `test` of every class or combination of labels, chosen by the seed
        mean.binaryproto  the mean of the images of train.txt
        classes.txt       the names of the classes or labels, one a line, in the order of their numbers or columns
        import.json       how it was made

    A second copy of a photo with the same labels is left out: in the test part it would be an answer that was learnt.
    Photos that cannot be decoded, and copies of one photo under different labels, are errors, unless `leave_out`. Files
    of other kinds are counted, hidden ones apart. All results appear together at the end; if all are there already,
    made in the same way, nothing is done. DataError for what cannot be, and where something else is there.
    """
    folder, out = Path(folder), Path(out)
    about = {"folder": str(folder.resolve()), "labels": labels and str(Path(labels).resolve()), "size": list(size),
             "test": test, "seed": seed, "color": color, "leave_out": leave_out}
    if _is_there(out, about):
        return []
    if not 0 < test < 1 or min(size) < 1 or not 0 <= seed < 1 << 32:
        raise DataError("import", expected="a size above 0, a share of test photos between 0 and 1, a seed from 0 to "
                        "2^32 - 1", got=f"{size[1]}x{size[0]}, {test:g} and {seed}")
    if out.resolve().is_relative_to(folder.resolve()):
        raise DataError(str(out), f"is in the folder of the photos, {str(folder)!r}", hint="choose another --out")
    found = photos_by_folder(folder) if labels is None else photos_by_table(folder, labels)
    with together([out / name for name in TARGETS]) as targets:
        made = targets[0].parent
        sums, damaged = _copy_images(folder, made / "images", found.paths, size, color)
        kept, notes = _without_copies(found, sums, damaged, leave_out)
        for path in set(found.paths).difference(kept.paths):
            (made / "images" / path).unlink(missing_ok=True)
        _write_lists(made, kept, test, seed, color)
        about["several"] = kept.labels.ndim > 1
        (made / ABOUT).write_text(json.dumps(about, indent=1) + "\n", "utf-8")
    return [*notes, *_not_taken(folder, found.paths, labels)]


def _is_there(out: Path, about: dict) -> bool:
    """Whether `out` has all, made as `about` says; DataError if it has a part, or something made in another way."""
    if not all_there(str(out), [out / name for name in TARGETS]):
        return False
    try:
        before = dict(json.loads((out / ABOUT).read_text("utf-8")))
    except (ValueError, TypeError, RecursionError):
        before = {}
    differing = [name for name in about if before.get(name) != about[name]]
    if differing:
        raise DataError(str(out), "photos were imported here in another way", hint="remove it, or choose another --out",
                        expected=", ".join(f"{name} {about[name]}" for name in differing),
                        got=", ".join(f"{name} {before.get(name)}" for name in differing))
    return True


def _copy_images(folder: Path, images: Path, paths: list[str], size: tuple[int, int],
                 color: bool) -> tuple[list[bytes], dict[int, str]]:
    """Write the copies; the digest of each photo's file, and why those that cannot be decoded cannot, by number."""
    for parent in {(images / path).parent for path in paths}:
        parent.mkdir(parents=True, exist_ok=True)

    def copy(path: str) -> tuple[bytes, str]:
        try:
            data = (folder / path).read_bytes()
            image = read_photo(folder / path, color, size)
        except (DataError, OSError) as error:
            return b"", str(error)
        (images / path).write_bytes(data if _is_copy(data, image, path) else _compressed(image, path))
        return hashlib.sha256(data).digest(), ""

    results: list[tuple[bytes, str]] = []
    with tqdm(total=len(paths), desc="photos", unit=" images", disable=None) as bar:
        for chunk in _chunks(paths):
            results += in_parallel(copy, chunk)
            bar.update(len(chunk))
    return [digest for digest, _ in results], {i: error for i, (_, error) in enumerate(results) if error}


def _is_copy(data: bytes, image: np.ndarray, where: str) -> bool:
    """Whether the file's bytes `data` are just that image, so that nothing is lost by compressing it again."""
    header = open_image(data, where)
    return (header.height, header.width) == image.shape[1:] and np.array_equal(
        decode_image(data, len(image) == 3, where), image)


def _compressed(image: np.ndarray, path: str) -> bytes:
    """The image in the format of the name `path`; a JPEG with all of its colours."""
    encoding = extension(path)
    return encode_image(image, encoding, path, **({"subsampling": 0} if ENCODINGS[encoding] == "JPEG" else {}))


def _without_copies(found: Labelled, sums: list[bytes], damaged: dict[int, str],
                    leave_out: bool) -> tuple[Labelled, list[str]]:
    """The photos without those that are damaged or there twice, and a line on each that is left out."""
    notes = list(damaged.values())
    first: dict[bytes, int] = {}
    left, torn = set(damaged), []
    for i, digest in enumerate(sums):
        if i in damaged or (j := first.setdefault(digest, i)) == i:
            continue
        left.add(i)
        if np.array_equal(found.labels[i], found.labels[j]):
            notes.append(f"{found.paths[i]}: a copy of {found.paths[j]}")
        else:
            torn.append(f"{found.paths[i]}: a copy of {found.paths[j]}, with other labels")
            left.add(j)
    errors = notes[:len(damaged)] + torn
    if errors and not leave_out:
        raise DataError("photos", f"{len(errors)} cannot be taken\n    " + "\n    ".join(errors[:FEW]) +
                        "\n    …" * (len(errors) > FEW), hint="mend them, or give --leave-out")
    return found.take(np.array([i for i in range(len(found.paths)) if i not in left], int)), notes + torn


def _not_taken(folder: Path, paths: list[str], table: str | os.PathLike | None) -> list[str]:
    """How many files in `folder` are no photos, by their kind, and how many photos the table does not name."""
    taken, counts, itself = set(paths), Counter[str](), table and Path(table).resolve()
    for place, _, names in os.walk(folder):
        for path in (Path(place, name) for name in names):
            name = path.relative_to(folder)
            if is_hidden(name) or name.as_posix() in taken or path.resolve() == itself:
                continue
            kind = extension(name.name)
            counts["photos that the table does not name" if kind in ENCODINGS else f"files .{kind}, which are not read"
                   if kind else "files without an extension"] += 1
    return [f"{count} {kind}" for kind, count in sorted(counts.items())]


def _write_lists(made: Path, kept: Labelled, test: float, seed: int, color: bool) -> None:
    """Lists, mean and names."""
    order = np.random.RandomState(seed).permutation(len(kept.paths))  # RandomState: its streams never change
    chosen = split(kept.labels[order], test) if kept.parts is None else np.array(kept.parts)[order] == "test"
    for name, places in (("train", order[~chosen]), ("test", order[chosen])):
        words = [" ".join(map(str, np.atleast_1d(kept.labels[i]).tolist())) for i in places]
        lines = [f"images/{kept.paths[i]} {labels}\n" for i, labels in zip(places.tolist(), words)]
        (made / f"{name}.txt").write_text("".join(lines), "utf-8", "surrogateescape")
    train = [made / "images" / kept.paths[i] for i in order[~chosen].tolist()]
    write_blob(made / "mean.binaryproto", mean_image(
        np.stack(in_parallel(lambda path: read_image(path, color), chunk)) for chunk in _chunks(train)))
    (made / "classes.txt").write_text("".join(f"{name}\n" for name in kept.names), "utf-8", "surrogateescape")


def _chunks(items: list) -> Iterator[list]:
    return (items[i:i + CHUNK] for i in range(0, len(items), CHUNK))
