"""Transformer: resize, crop, mirror, subtract the mean, scale (Caffe's transform_param)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from google.protobuf.message import Message

from blobnet.data.images.files import in_parallel
from blobnet.data.images.mean import read_mean
from blobnet.data.images.resizer import Resizer
from blobnet.errors import NetError, ShapeError

Shape = tuple[int, int, int]
LARGE = 1 << 15  # numbers of an image from which on images are written by several threads


class Cut(NamedTuple):
    """What became of an image that was resized: a part of it, mirrored or not."""

    top: int
    left: int
    size: tuple[int, int]   # of the part, height and width
    whole: tuple[int, int]  # of the image
    flip: bool

    def window(self) -> np.ndarray:
        """The corners (x1, y1, x2, y2) of the part, as parts of the image's width and height."""
        corners = np.array([self.left, self.top, self.left + self.size[1], self.top + self.size[0]], np.float32)
        return corners / np.array([self.whole[1], self.whole[0]] * 2, np.float32)


class Transformer:
    """Turns images into what a net takes: y = scale * (crop(x) - crop(mean)), mirrored or not.

    Crops lie at random places if `random_crop` (Caffe: in the TRAIN phase), else in the centre. `mirror` turns every
    image with probability one half, in either phase. The mean is an image (mean_file), cropped like x, or a
    number for all channels or for each (mean_value). With resize_param x is the image resized, which must be uint8.
    Raises NetError for options that exclude each other, and for ways to resize other than WARP with LINEAR.
    """

    def __init__(self, param: Message, random_crop: bool, where: str = "transform_param"):
        self.where, self.random_crop = where, random_crop
        self.scale, self.mirror, self.crop_size = param.scale, param.mirror, param.crop_size
        if param.mean_file and param.mean_value:
            raise NetError(where, "mean_file and mean_value exclude each other", hint="keep one of them")
        if param.force_color and param.force_gray:
            raise NetError(where, "force_color and force_gray exclude each other", hint="keep one of them")
        self.color = True if param.force_color else False if param.force_gray else None
        self.mean_image = read_mean(param.mean_file) if param.mean_file else None
        self.mean_values = np.array(param.mean_value, np.float32).reshape(-1, 1, 1)
        self.resizer = Resizer(param.resize_param, where) if param.HasField("resize_param") else None

    def output_shape(self, shape: Shape) -> Shape:
        """The shape (C, H, W) that images of `shape` get; ShapeError if crop or mean do not fit them."""
        if len(shape) != 3:
            raise ShapeError(self.where, expected="images (C, H, W)", got=tuple(shape))
        return self._cut_shape((shape[0], *self.resizer.size(shape[1:])) if self.resizer else shape)

    def _cut_shape(self, shape: Shape) -> Shape:
        """That of images that were resized to `shape`."""
        channels, height, width = shape
        if min(height, width) < self.crop_size:
            raise ShapeError(self.where, expected=f"images of at least {self.crop_size} x {self.crop_size} (crop_size)",
                             got=f"{height} x {width}")
        if self.mean_image is not None and self.mean_image.shape != tuple(shape):
            raise ShapeError(self.where, expected=f"images of the mean_file's shape {self.mean_image.shape}",
                             got=tuple(shape), hint="compute the mean from the same database")
        if len(self.mean_values) not in (0, 1, channels):
            raise ShapeError(self.where, expected=f"one mean_value or one a channel ({channels})",
                             got=len(self.mean_values))
        return (channels, self.crop_size, self.crop_size) if self.crop_size else (channels, height, width)

    def __call__(self, images: Sequence[np.ndarray], out: np.ndarray, rng: np.random.Generator) -> list[Cut]:
        """Write the images (uint8 or float, each (C, H, W)) into `out`, float (N, C, H, W), drawing from `rng`.

        Images may differ in size if they are cropped. Arithmetic is that of out's dtype. Returns what became of each.
        """
        if self.resizer:
            images = in_parallel(self.resizer, images)
        top, left = self._corners([image.shape[1:] for image in images], rng)
        flips = rng.integers(2, size=len(images)) if self.mirror else np.zeros(len(images), int)
        jobs = list(zip(images, out, top.tolist(), left.tolist(), flips.tolist(), strict=True))
        for shape in {image.shape for image in images}:
            if self._cut_shape(shape) != out.shape[1:]:
                raise ShapeError(self.where, expected=f"all images of a batch as the first, {out.shape[1:]}",
                                 got=self._cut_shape(shape), hint="set crop_size, or batch_size: 1")
        if out[:1].size >= LARGE:
            in_parallel(self._write_whole, jobs)
        else:
            for job in jobs:
                self._write(*job)
            self._shift(out)
        return [Cut(y, x, target.shape[1:], image.shape[1:], bool(flip)) for image, target, y, x, flip in jobs]

    def _write(self, image: np.ndarray, target: np.ndarray, y: int, x: int, flip: int) -> None:
        if flip:
            target = target[:, :, ::-1]
        window = np.s_[:, y:y + target.shape[1], x:x + target.shape[2]]
        target[...] = image[window]
        if self.mean_image is not None:
            target -= self.mean_image[window]

    def _write_whole(self, job: tuple) -> None:
        self._write(*job)
        self._shift(job[1])

    def _shift(self, out: np.ndarray) -> None:
        """Subtract the means and scale, one image or many."""
        if len(self.mean_values):
            out -= self.mean_values
        if self.scale != 1:
            out *= out.dtype.type(self.scale)

    def _corners(self, sizes: list[tuple[int, int]], rng: np.random.Generator) -> np.ndarray:
        """Top and left edge of the crop of every image, (2, N)."""
        if not self.crop_size:
            return np.zeros((2, len(sizes)), int)
        room = np.maximum(np.array(sizes).T - self.crop_size, 0)  # images that are too small are reported in the loop
        return rng.integers(room + 1) if self.random_crop else room // 2
