"""Transformer: resize, crop, mirror, subtract the mean, scale (Caffe's transform_param)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from google.protobuf.message import Message

from blobnet.data.images.files import in_parallel
from blobnet.data.images.mean import read_mean
from blobnet.data.images.noise import Noise
from blobnet.data.images.random_shapes import RandomAspectRatio, RandomResize, RandomStretch
from blobnet.data.images.resizer import Resizer, require_bytes
from blobnet.errors import NetError, ShapeError

Shape = tuple[int, int, int]
OF_PAIRS, OF_SNIPPETS = "layers that read label images, such as ImageSegData", "SegmentVideoData"
OF_OTHERS = {"crop_height": OF_PAIRS, "crop_width": OF_PAIRS, "scale_factors": OF_PAIRS, "fix_crop": OF_SNIPPETS,
             "more_fix_crop": OF_SNIPPETS, "multi_scale": OF_SNIPPETS, "is_flow": OF_SNIPPETS}  # fields of param
Shaper = RandomResize | RandomAspectRatio | RandomStretch
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

    Crops of crop_size, or crop_h x crop_w, lie at random places if `random_crop` (Caffe: in the TRAIN phase) and not
    center_crop, else in the centre. `mirror` turns every image with probability one half, in either phase. The mean is
    an image (mean_file), cropped like x, or a number for all channels or for each (mean_value). Before all that images,
    which must be uint8, are given a size at random (random_resize_param, random_aspect_ratio_param, or the fields that
    RandomStretch reads), resized (resize_param) and changed (noise_param). Raises NetError for options that exclude
    each other or are for others.
    """

    def __init__(self, param: Message, random_crop: bool, where: str = "transform_param"):
        self.where, self.random_crop = where, random_crop and not param.center_crop
        for field, value in param.ListFields():
            if value and field.name in OF_OTHERS:
                raise NetError(where, f"{field.name} is for {OF_OTHERS[field.name]}", hint="remove it")
        self.scale, self.mirror = param.scale, param.mirror
        self.crop = (param.crop_size,) * 2 if param.crop_size else (param.crop_h, param.crop_w)
        if any(self.crop) != all(self.crop):
            raise NetError(where, expected="crop_h and crop_w, or neither", got=f"{param.crop_h} and {param.crop_w}")
        if param.mean_file and param.mean_value:
            raise NetError(where, "mean_file and mean_value exclude each other", hint="keep one of them")
        if param.force_color and param.force_gray:
            raise NetError(where, "force_color and force_gray exclude each other", hint="keep one of them")
        self.color = True if param.force_color else False if param.force_gray else None
        self.mean_image = read_mean(param.mean_file) if param.mean_file else None
        self.mean_values = np.array(param.mean_value, np.float32).reshape(-1, 1, 1)
        self.shaper = _shaper(param, where)
        self.resizer = Resizer(param.resize_param, where) if param.HasField("resize_param") else None
        self.noise = Noise(param.noise_param, where) if param.HasField("noise_param") else None

    def output_shape(self, shape: Shape) -> Shape:
        """The shape (C, H, W) that images of `shape` get; ShapeError if crop or mean do not fit them."""
        if len(shape) != 3:
            raise ShapeError(self.where, expected="images (C, H, W)", got=tuple(shape))
        if self.shaper:
            return (shape[0], *self.crop)
        return self._cut_shape((shape[0], *self.resizer.size(shape[1:])) if self.resizer else shape)

    def _cut_shape(self, shape: Shape) -> Shape:
        """That of images that were resized to `shape`."""
        channels, height, width = shape
        if height < self.crop[0] or width < self.crop[1]:
            raise ShapeError(self.where, got=f"{height} x {width}",
                             expected=f"images of at least {self.crop[0]} x {self.crop[1]} (crop_size)")
        if self.mean_image is not None and self.mean_image.shape != tuple(shape):
            raise ShapeError(self.where, expected=f"images of the mean_file's shape {self.mean_image.shape}",
                             got=tuple(shape), hint="compute the mean from the same database")
        if len(self.mean_values) not in (0, 1, channels):
            raise ShapeError(self.where, expected=f"one mean_value or one a channel ({channels})",
                             got=len(self.mean_values))
        return (channels, *self.crop) if all(self.crop) else (channels, height, width)

    def __call__(self, images: Sequence[np.ndarray], out: np.ndarray, rng: np.random.Generator) -> list[Cut]:
        """Write the images (uint8 or float, each (C, H, W)) into `out`, float (N, C, H, W), drawing from `rng`.

        Images may differ in size if they are cropped. Arithmetic is that of out's dtype. Returns what became of each.
        """
        if self.shaper or self.resizer or self.noise:
            images = in_parallel(self._changed, zip(images, rng.spawn(len(images))))
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

    def _changed(self, job: tuple[np.ndarray, np.random.Generator]) -> np.ndarray:
        """An image before it is cropped. Each has a stream of its own, whichever comes first."""
        image, rng = job
        require_bytes(image, self.where)
        for step in (self.shaper, self.resizer, self.noise):
            image = step(image, rng) if step else image
        return image

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
        if not all(self.crop):
            return np.zeros((2, len(sizes)), int)
        room = np.array(sizes).T - np.array(self.crop)[:, None]
        room = np.maximum(room, 0)  # images that are too small are reported in the loop
        return rng.integers(room + 1) if self.random_crop else room // 2


def _shaper(param: Message, where: str) -> Shaper | None:
    """What gives images a size at random; NetError without a crop, which gives all the same size afterwards."""
    shaper: Shaper | None = None
    if param.HasField("random_resize_param"):
        shaper = RandomResize(param.random_resize_param, where)
    elif param.HasField("random_aspect_ratio_param"):
        shaper = RandomAspectRatio(param.random_aspect_ratio_param, param.crop_size, where)
    elif RandomStretch.wanted(param):
        shaper = RandomStretch(param, where)
    if shaper and not param.crop_size:
        raise NetError(where, expected="crop_size above 0 with sizes at random", got=0)
    return shaper
