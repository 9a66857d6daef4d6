"""QMUL Shoes and Chairs: sketches of single shoes and chairs, the photos that were drawn, and what people said of them.

Source: Yu, Liu, Song, Xiang, Hospedales, Loy, Sketch Me That Shoe, CVPR 2016 (pairs, triplets); the attributes: Song,
Song, Xiang, Hospedales, Ruan, Deep Multi-task Attribute-driven Ranking for Fine-grained Sketch-based Image Retrieval,
BMVC 2016. The folder holds train/ and test/ with images/ and sketches/, and annotation/.

Of N pairs of a split, record i < N is sketch i and record N + i is its photo, both with label i, black lines on white,
1 x 256 x 256. Photos are stored as edge maps (see blobnet.data.sets.canny), so that one net may read both.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from blobnet.data.images.files import in_parallel, read_image
from blobnet.data.sets.canny import edge_map
from blobnet.data.sets.files import find_file, inside
from blobnet.data.sets.matlab import read_mat
from blobnet.errors import DataError

SIZE = 256  # of all images, on both sides


@dataclass(frozen=True)
class Pairs:
    """One of the two sets: `kind` is its folder, `pairs` the number of pairs of each split."""

    kind: str
    pairs: dict[str, int]
    attributes: int
    DOWNLOADS: dict = field(default_factory=dict)

    @property
    def COUNTS(self) -> dict[str, int]:
        """Records of each split."""
        return {split: 2 * count for split, count in self.pairs.items()}

    def complete(self, folder: Path) -> bool:
        """Whether the annotation is in `folder` (or in a folder of the set's name there)."""
        return self._annotation(folder) is not None

    def read(self, folder: Path, split: str) -> tuple[np.ndarray, np.ndarray]:
        """Sketches and then edge maps of the photos, (2 N, 1, 256, 256), and the number of each record's pair."""
        root, annotation = self._open(folder)
        sketches, photos = ([inside(root / split / what, name, f"QMUL {self.kind} {split} {what}")
                             for name in annotation[split][what]]
                            for what in ("sketches", "images"))
        drawn = in_parallel(_read_gray, sketches)
        edges = in_parallel(lambda path: edge_map(_read_gray(path)), photos)
        return np.stack(drawn + edges)[:, np.newaxis], np.tile(np.arange(len(sketches)), 2)

    def tables(self, folder: Path, split: str) -> dict[str, np.ndarray]:
        """What belongs to the records of a split, by name.

        attributes (2 N, A) uint8, 1 where the record has the attribute.
        triplets (T, 3): a sketch and two photos, of which people found the first more similar to it. A judgement that
        several people made is there several times.
        pairs (N (N - 1), 3): every sketch, its photo and every other photo.
        """
        root, annotation = self._open(folder)
        count, judged = len(annotation[split]["sketches"]), annotation[split]["triplets"]
        rows = [self._attributes(root, kind, annotation[split][what])
                for kind, what in (("sketch", "sketches"), ("image", "images"))]
        triplets = np.array([(i, count + near, count + far) for i, said in enumerate(judged) for near, far in said],
                            np.int32).reshape(-1, 3)
        if len(judged) != count or not ((triplets[:, 1:] >= count) & (triplets[:, 1:] < 2 * count)).all():
            got = f"{len(judged)} sketches" + ", other photos" * (len(judged) == count)
            raise DataError(f"QMUL {self.kind}", f"{split} triplets", got=got,
                            expected=f"photos 0 ... {count - 1} for each of {count} sketches")
        sketch, other = np.divmod(np.arange(count * (count - 1)), max(1, count - 1))
        other += other >= sketch
        pairs = np.stack([sketch, count + sketch, count + other], 1).astype(np.int32)
        return {"attributes": np.concatenate(rows), "triplets": triplets, "pairs": pairs}

    def _annotation(self, folder: Path) -> Path | None:
        name = f"annotation/{self.kind}_annotation.json"
        return find_file(folder, [name, f"{self.kind}/{name}"])

    def _open(self, folder: Path) -> tuple[Path, dict]:
        """The set's own folder, and its annotation: files and triplets by split."""
        path = self._annotation(folder)
        if path is None:
            raise DataError(f"QMUL {self.kind}", f"no annotation/{self.kind}_annotation.json in {str(folder)!r}",
                            hint="give the folder of the set with --from")
        try:
            annotation = json.loads(path.read_bytes())
            for split in self.pairs:
                if len(annotation[split]["sketches"]) != len(annotation[split]["images"]):
                    raise DataError(str(path), f"{split} split", expected="a photo for every sketch",
                                    got=f"{len(annotation[split]['sketches'])} sketches, "
                                        f"{len(annotation[split]['images'])} images")
                annotation[split]["triplets"] = [_judgements(said) for said in annotation[split]["triplets"]]
                for what in ("sketches", "images"):
                    if not all(isinstance(name, str) for name in annotation[split][what]):
                        raise DataError(str(path), f"{split} split", expected=f"names of files as {what}", got="others")
        except (ValueError, KeyError, TypeError, RecursionError, OverflowError) as error:
            raise DataError(str(path), f"not the annotation of {', '.join(self.pairs)} ({error!r})",
                            expected="sketches, images and triplets of each split") from error
        return path.parent.parent, annotation

    def _attributes(self, root: Path, kind: str, names: list[str]) -> np.ndarray:
        """The rows of the files `names`, which are numbered from 1, in the table of sketches or images."""
        path = root / "annotation" / f"{kind}_label.mat"
        table = read_mat(path)
        wrong = [name for name in names if not re.fullmatch(r"0*[1-9]\d{0,8}", Path(name).stem, re.ASCII)]
        if wrong:
            raise DataError(f"QMUL {self.kind}", expected="files whose names are numbers from 1 on", got=wrong[0])
        rows = np.array([int(Path(name).stem) - 1 for name in names], int)
        least = rows.max(initial=0) + 1
        if table.ndim != 2 or table.shape[1] != self.attributes or len(table) < least:
            raise DataError(str(path), expected=f"{self.attributes} attributes of {least} files or more",
                            got=f"shape {table.shape}")
        if table.dtype.kind not in "biuf" or not np.isin(table[rows], (0, 1)).all():
            raise DataError(str(path), expected="0 and 1", got=f"other {table.dtype} values")
        return table[rows].astype(np.uint8)


def _judgements(said: list) -> np.ndarray:
    """Pairs of photos (M, 2), integers."""
    pairs = np.array(said).reshape(-1, 2)
    if pairs.size and pairs.dtype != np.int64:
        raise ValueError(f"triplets of {pairs.dtype}")
    return np.clip(pairs, -1, 1 << 30).astype(np.int32)  # far beyond any number of photos


def _read_gray(path: Path) -> np.ndarray:
    image = read_image(path, color=False)
    if image.shape != (1, SIZE, SIZE):
        raise DataError(f"image {str(path)!r}", expected=f"{SIZE} x {SIZE} pixels", got=f"shape {image.shape}")
    return image[0]


SHOES = Pairs("shoes", {"train": 304, "test": 115}, attributes=21)
CHAIRS = Pairs("chairs", {"train": 200, "test": 97}, attributes=15)
