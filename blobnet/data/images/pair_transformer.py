"""PairTransformer: images and the label images that belong to them, cut and turned alike."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from blobnet.data.images.files import in_parallel
from blobnet.data.images.resize import resize, resize_nearest
from blobnet.data.images.transformer import Shape, Transformer
from blobnet.errors import ShapeError
from blobnet.proto.budget import require

Pair = tuple[np.ndarray, np.ndarray]  # an image (C, H, W) and the labels of its pixels (1, H, W), both uint8


class PairTransformer:
    """Turns images and their label images into what a net takes; `transformer` does what concerns the images alone.

    In this order both are resized by one of `scale_factors` (labels to the nearest pixel); with `fill`, what is smaller
    than the crop gets new pixels on the right and below, which have the mean, so 0 afterwards, and the label `fill`;
    the part `crop` (H, W) is cut out, at a random place if `random_crop`, else in the middle; with `mirror` the pair is
    turned round with probability one half. `transformer` neither crops nor mirrors; a mean image has the crop's size.
    """

    def __init__(self, transformer: Transformer, crop: tuple[int, int] | None, *, mirror: bool = False,
                 random_crop: bool = False, scale_factors: Sequence[float] = (), fill: int | None = None):
        self.transformer, self.crop, self.mirror, self.random_crop = transformer, crop, mirror, random_crop
        self.factors, self.fill = np.array(scale_factors, np.float32), fill

    def output_shape(self, shape: Shape) -> Shape:
        """The shape (C, H, W) that images of `shape` get; ShapeError if crop or mean do not fit them."""
        if self.crop and self.fill is None and (shape[1] < self.crop[0] or shape[2] < self.crop[1]):
            raise ShapeError(self.transformer.where, got=f"{shape[1]} x {shape[2]}",
                             expected=f"images of at least {self.crop[0]} x {self.crop[1]} (the crop)")
        return self.transformer.output_shape((shape[0], *self.crop) if self.crop else shape)

    def __call__(self, pairs: Sequence[Pair], data: np.ndarray, labels: np.ndarray, rng: np.random.Generator) -> None:
        """Write the images into `data`, float (N, C, H, W), and their labels into `labels`, (N, 1, H, W), drawing from
        `rng`."""
        if len(self.factors):
            factors = self.factors[rng.integers(len(self.factors), size=len(pairs))]
            pairs = in_parallel(self._scaled, zip(pairs, factors))
        if self.crop and self.fill is not None:
            pairs = [self._filled(*pair, data.dtype) for pair in pairs]
        for image, _ in pairs:
            self.output_shape(image.shape)
        places = self._places([image.shape[1:] for image, _ in pairs], rng)
        flips = rng.integers(2, size=len(pairs)) if self.mirror else np.zeros(len(pairs), int)
        parts = [[self._part(each, y, x, flip) for each in pair]
                 for pair, (y, x), flip in zip(pairs, places.T.tolist(), flips)]
        self.transformer([image for image, _ in parts], data, rng)
        for target, (_, values) in zip(labels, parts):
            target[...] = values

    def _scaled(self, job: tuple[Pair, np.float32]) -> Pair:
        (image, labels), factor = job
        height, width = (int(np.float32(side) * factor) for side in image.shape[1:])
        require(len(image) * height * width, self.transformer.where, f"an image resized by {factor:g}")
        return resize(image, height, width), resize_nearest(labels, height, width)

    def _filled(self, image: np.ndarray, labels: np.ndarray, dtype: np.dtype) -> Pair:
        sides = [max(side, least) for side, least in zip(image.shape[1:], self.crop or ())]
        if sides == [*image.shape[1:]]:
            return image, labels
        window = np.s_[:, :image.shape[1], :image.shape[2]]
        larger = np.empty((len(image), *sides), dtype), np.full((1, *sides), self.fill, labels.dtype)
        means = self.transformer.mean_values
        larger[0][...] = means if len(means) else 0
        larger[0][window], larger[1][window] = image, labels
        return larger

    def _places(self, sizes: list[tuple[int, int]], rng: np.random.Generator) -> np.ndarray:
        """Top and left edge of the crop of every image, (2, N)."""
        if not self.crop:
            return np.zeros((2, len(sizes)), int)
        room = np.array(sizes).T - np.array(self.crop)[:, None]
        return rng.integers(room + 1) if self.random_crop else room // 2

    def _part(self, image: np.ndarray, y: int, x: int, flip: int) -> np.ndarray:
        height, width = self.crop or image.shape[1:]
        part = image[:, y:y + height, x:x + width]
        return part[:, :, ::-1] if flip else part
