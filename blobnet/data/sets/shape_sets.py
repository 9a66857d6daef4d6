"""Two sets of the same drawn shapes (see blobnet.data.sets.shapes), 96 x 96: with their boxes, and with their masks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from blobnet.data.images.encode import encode_image
from blobnet.data.sets.shapes import draw_all, draw_shapes
from blobnet.data.stores.annotated_datum import write_annotated

COUNTS = {"train": 1000, "test": 400}
SIZE = 96
SEEDS = {"train": 1, "test": 2}  # of the drawing
VALIDATION_SEEDS = {"train": 1, "test": 3}  # of images to choose settings by in the place of the test images


@dataclass(frozen=True)
class DrawnSet:
    """A set that is drawn: `write(folder, name)` writes its PARTS, NAME_train_lmdb and so on."""

    PARTS: tuple[str, ...]
    write: Callable[..., None]
    COUNTS: dict = field(default_factory=lambda: COUNTS)
    DOWNLOADS: dict = field(default_factory=dict)

    def complete(self, folder: Path) -> bool:
        """True: nothing needs to be in `folder`."""
        return True


def _write_boxes(folder: Path, name: str, seeds: Mapping[str, int] = SEEDS) -> None:
    """LMDBs of AnnotatedDatum; labels from 1 on."""
    for split, count in COUNTS.items():
        images, boxes = draw_shapes(count, SIZE, seeds[split])
        rows = [[(box.label, *(side / SIZE for side in box[1:])) for box in found] for found in boxes]
        write_annotated(folder / f"{name}_{split}_lmdb", zip(images[..., ::-1], rows))


def _write_masks(folder: Path, name: str, seeds: Mapping[str, int] = SEEDS) -> None:
    """PNG files of images and of masks, gray as their labels, and lists with a pair of them on a line."""
    pictures = folder / f"{name}_images"
    pictures.mkdir()
    for split, count in COUNTS.items():
        images, masks, _ = draw_all(count, SIZE, seeds[split])
        lines = []
        for i, (image, mask) in enumerate(zip(images, masks)):
            files = [f"{pictures.name}/{split}_{i:05}{end}.png" for end in ("", "_mask")]
            for file, pixels in zip(files, (image.transpose(2, 0, 1)[::-1], mask[None])):
                (folder / file).write_bytes(encode_image(pixels, "png"))
            lines.append(f"{files[0]} {files[1]}\n")
        (folder / f"{name}_{split}.txt").write_text("".join(lines), "utf-8")


BOXES = DrawnSet(("train_lmdb", "test_lmdb"), _write_boxes)
MASKS = DrawnSet(("train.txt", "test.txt", "images"), _write_masks)
