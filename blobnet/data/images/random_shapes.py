"""Images resized, or cut and resized, at random before all else (Intel's and NVIDIA's forks of Caffe)."""

from __future__ import annotations

import math

import numpy as np
from google.protobuf.message import Message

from blobnet.data.images.interpolation import resize_by
from blobnet.data.images.resizer import draw_interpolation, require_bytes
from blobnet.errors import DataError, NetError
from blobnet.proto.budget import require

STRETCHES = ("img_rand_resize", "rand_resize_ratio", "vertical_stretch", "horizontal_stretch")
ALGORITHMS = ("NEAREST", "LINEAR", "CUBIC", "AREA")  # in the order of OpenCV's numbers


class RandomResize:
    """Resizes images so that the shorter side has a length drawn from min_size to max_size; the shape stays.

    0 stands for the shorter side's own length, and for the longer side's. NetError for bounds that cannot be.
    """

    def __init__(self, param: Message, where: str = "random_resize_param"):
        self.param, self.where = param, where
        if param.max_size and param.min_size > param.max_size:
            raise NetError(where, expected="min_size of at most max_size in random_resize_param",
                           got=f"{param.min_size} and {param.max_size}")

    def __call__(self, image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """The uint8 image (C, H, W) resized, drawing from `rng`. DataError for one that is larger than max_size, where
        min_size is not given."""
        least, most = self.param.min_size or min(image.shape[1:]), self.param.max_size or max(image.shape[1:])
        if least > most:
            raise DataError(self.where, expected=f"images of at most {most} pixels (max_size) on the shorter side",
                            got=least, hint="write min_size in random_resize_param")
        return by_shorter_side(image, int(rng.integers(least, most + 1)), draw_interpolation(
            self.param.resize_param, rng), self.where)


class RandomAspectRatio:
    """Cuts a part out of each image, of an area and a shape at random, and resizes it to `side` x `side`.

    Its area is a part from min_area_ratio to max_area_ratio of the image's; its height and width are those of a square
    times and divided by a factor from aspect_ratio_change to 1 / aspect_ratio_change, in half of the cases the other
    way round. If max_attempt of such parts do not fit into the image, its shorter side is resized to `side` instead.
    """

    def __init__(self, param: Message, side: int, where: str = "random_aspect_ratio_param"):
        self.param, self.side, self.where = param, side, where
        if not 0 < param.min_area_ratio <= param.max_area_ratio <= 1:
            raise NetError(where, expected="0 < min_area_ratio <= max_area_ratio <= 1",
                           got=f"{param.min_area_ratio:g} and {param.max_area_ratio:g}")
        if not 0 < param.aspect_ratio_change <= 1:
            raise NetError(where, expected="aspect_ratio_change above 0, up to 1",
                           got=f"{param.aspect_ratio_change:g}")

    def __call__(self, image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """The uint8 image (C, H, W) cut and resized, drawing from `rng`."""
        height, width = image.shape[1:]
        change, interpolation = self.param.aspect_ratio_change, draw_interpolation(self.param.resize_param, rng)
        for _ in range(min(self.param.max_attempt, 1000)):
            root = math.sqrt(rng.uniform(self.param.min_area_ratio, self.param.max_area_ratio) * height * width)
            factor = rng.uniform(change, 1 / change)
            rows, columns = (int(root * factor), int(root / factor))[::1 if rng.random() < 0.5 else -1]
            if 0 < rows <= height and 0 < columns <= width:
                y, x = rng.integers(height - rows + 1), rng.integers(width - columns + 1)
                part = require_bytes(image, self.where)[:, y:y + rows, x:x + columns]
                return resize_by(part, self.side, self.side, interpolation)
        return by_shorter_side(image, self.side, interpolation, self.where)


class RandomStretch:
    """Resizes images to a shorter side and a shape at random, as NVIDIA's fields of transform_param say.

    The shorter side has a length from img_rand_resize_lower to img_rand_resize_upper, the longer one this length times
    a ratio from rand_resize_ratio_lower to rand_resize_ratio_upper; then height and width are stretched. No side
    becomes shorter than crop_size, nor, without allow_upscale, longer than it was. NetError for bounds that cannot be.
    """

    def __init__(self, param: Message, where: str = "transform_param"):
        self.param, self.where = param, where
        for kind in STRETCHES:
            low, high = self._bounds(kind)
            if not 0 <= low <= high < math.inf:
                raise NetError(where, expected=f"0 <= {kind}_lower <= {kind}_upper", got=f"{low:g} and {high:g}")

    @classmethod
    def wanted(cls, param: Message) -> bool:
        """Whether a TransformationParameter asks for it."""
        return any(param.HasField(f"{kind}_{bound}") for kind in STRETCHES for bound in ("lower", "upper"))

    def __call__(self, image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """The uint8 image (C, H, W) resized, drawing from `rng`."""
        old = image.shape[1:]
        low, high = self._bounds("img_rand_resize")
        shorter = int(rng.integers(int(low), int(high) + 1)) if low else min(old)
        size = np.array(old) * (shorter / min(old))
        low, high = self._bounds("rand_resize_ratio")
        if low >= 1 and high > 1:
            longer = int(rng.integers(2)) if old[0] == old[1] else int(old[1] > old[0])
            size[longer] = size[1 - longer] * rng.uniform(low, high)
        for axis, kind in enumerate(("vertical_stretch", "horizontal_stretch")):
            low, high = self._bounds(kind)
            size[axis] *= rng.uniform(low, high) if low else 1
        new = np.maximum(np.floor(size + 0.5), self.param.crop_size)
        height, width = map(int, new if self.param.allow_upscale else np.minimum(new, old))
        require(len(image) * height * width, self.where, f"an image of {height} x {width}", image.nbytes)
        smaller = height <= old[0] and width <= old[1]
        algorithm = self.param.interpolation_algo_down if smaller else self.param.interpolation_algo_up
        return resize_by(require_bytes(image, self.where), height, width, ALGORITHMS[algorithm])

    def _bounds(self, kind: str) -> tuple[float, float]:
        return getattr(self.param, f"{kind}_lower"), getattr(self.param, f"{kind}_upper")


def by_shorter_side(image: np.ndarray, side: int, interpolation: str, where: str) -> np.ndarray:
    """The uint8 image (C, H, W) with a shorter side of `side` pixels and, but for rounding down, of its shape."""
    height, width = map(np.float32, image.shape[1:])
    size = (side, int(width / height * side)) if height < width else (int(height / width * side), side)
    require(len(image) * size[0] * size[1], where, f"an image of {size[0]} x {size[1]}", image.nbytes)
    return resize_by(require_bytes(image, where), *size, interpolation)
