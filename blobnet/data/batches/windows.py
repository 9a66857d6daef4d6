"""WindowBatches: windows drawn from a window file."""

from __future__ import annotations

import numpy as np
from numpy.typing import DTypeLike

from blobnet.data.batches.base import Batch, Batches, Random, Shape
from blobnet.data.batches.window_crop import place_window
from blobnet.data.batches.window_file import CHANNELS, WindowFile
from blobnet.data.images.decode import decode_image
from blobnet.data.images.files import in_parallel
from blobnet.data.images.resize import resize
from blobnet.errors import ShapeError, within
from blobnet.proto.storage import require_file


class WindowBatches(Batches):
    """Batch n: background windows, then int(size * fg_fraction) foreground windows, each drawn from `random(n)`.

    A window is cut out and resized to crop_size as `place_window` says, mirrored with probability one half if `mirror`,
    and becomes scale * (x - mean) inside the image, 0 outside. `mean` is an array that can be broadcast to
    (3, crop_size, crop_size), or 0. With `cache` all files are read at the start and kept as they are, compressed.
    """

    def __init__(self, windows: WindowFile, size: int, crop_size: int, dtype: DTypeLike = np.float32,
                 random: Random = np.random.default_rng, *, fg_fraction: float = 0.25, context_pad: int = 0,
                 square: bool = False, mirror: bool = False, scale: float = 1, mean: np.ndarray | float = 0,
                 cache: bool = False):
        super().__init__(size, dtype, random)
        self.windows, self.crop_size = windows, crop_size
        self.foreground = int(np.float32(size) * np.float32(fg_fraction))
        self.context_pad, self.square, self.mirror = context_pad, square, mirror
        self.scale = np.asarray(scale, self.dtype)[()]
        self.mean = np.broadcast_to(np.asarray(mean, self.dtype), (CHANNELS, crop_size, crop_size))
        self.files = [self._content(index) for index in range(len(windows.paths))] if cache else None

    def shapes(self) -> list[Shape]:
        return [(self.size, CHANNELS, self.crop_size, self.crop_size), (self.size,)]

    def __call__(self, n: int, reuse: Batch | None = None) -> Batch:
        data, labels = batch = self.arrays(self.shapes(), reuse)
        drawn, flips = self._draw(self.random(n))
        data.fill(0)
        in_parallel(lambda i: self._cut(drawn[i], flips[i], data[i]), range(self.size))
        labels[...] = drawn[:, 1]
        return batch

    def _draw(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        parts = (self.windows.background, self.size - self.foreground), (self.windows.foreground, self.foreground)
        drawn = np.concatenate([pool[rng.integers(len(pool), size=count)] for pool, count in parts])
        return drawn, rng.integers(2, size=self.size) if self.mirror else np.zeros(self.size, int)

    def _cut(self, window: np.ndarray, flip: np.ndarray, out: np.ndarray) -> None:
        index = int(window[0])
        where = f"{self.windows.origin} image {index}: {self.windows.paths[index]!r}"
        image = decode_image(self.files[index] if self.files else self._content(index), True, where)
        place = place_window(window[2:], image.shape[1:], self.crop_size, self.context_pad, self.square, bool(flip),
                             self.dtype, where)
        part = resize(image[:, place.y1:place.y2, place.x1:place.x2], place.height, place.width)
        inside = np.s_[:, place.pad_y:place.pad_y + place.height, place.pad_x:place.pad_x + place.width]
        np.subtract(part[:, :, ::-1] if flip else part, self.mean[inside], out=out[inside], dtype=self.dtype)
        out[inside] *= self.scale

    def _content(self, index: int) -> bytes:
        with within(f"{self.windows.origin} image {index}", "its paths stand behind root_folder"):
            return require_file(self.windows.paths[index]).read_bytes()


def central_mean(image: np.ndarray, crop_size: int, where: str) -> np.ndarray:
    """The part of a mean image (C, H, W) that is subtracted; it begins (W - crop_size) // 2 from the left and the top.

    ShapeError if it does not fit.
    """
    offset = (image.shape[2] - crop_size) // 2
    part = image[:, max(offset, 0):, max(offset, 0):][:, :crop_size, :crop_size]
    if offset < 0 or part.shape != (CHANNELS, crop_size, crop_size):
        raise ShapeError(where, expected=f"a mean_file of {CHANNELS} channels and at least {crop_size} x {crop_size}",
                         got=image.shape)
    return part
