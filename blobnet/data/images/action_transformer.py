"""ActionTransformer: crops of several sizes, at corners, as TSN cuts the frames of films."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from google.protobuf.message import Message

from blobnet.data.images.files import in_parallel
from blobnet.data.images.resize import resize
from blobnet.data.images.transformer import Shape, Transformer
from blobnet.errors import NetError, ShapeError

RATIOS = (1, 0.875, 0.75, 0.66)
NEAR = 3    # pixels by which a drawn side must differ from crop_size to count
WHITE = 255
FIVE = [(0, 0), (0, 4), (4, 0), (4, 4), (2, 2)]  # places in quarters of the room above and on the left
THIRTEEN = [*FIVE, (0, 2), (4, 2), (2, 0), (2, 4), (1, 1), (1, 3), (3, 1), (3, 3)]


class ActionTransformer:
    """Turns images of any number of channels into what a net takes, as a transform_param of TSN says.

    If `random` (TRAIN), height and width of the part that is cut out are drawn from shares of the shorter side with
    multi_scale, else both are crop_size; it lies anywhere, or with fix_crop at one of five or thirteen places; and it
    is resized to crop_size. Otherwise it is the middle. With mirror it is turned round with probability one half; with
    is_flow channels 0, 2, 4, … of such a part, the flow in x, become 255 - x. mean_value may be for a group of channels
    that comes again. NetError for ratios outside of (0, 1], for a mean_file and for a resize_param.
    """

    def __init__(self, param: Message, random: bool, where: str = "transform_param"):
        self.where, self.random, self.param, self.side = where, random, param, param.crop_size
        for field, hint in (("mean_file", "write mean_value"), ("resize_param", "write new_height and new_width")):
            if param.HasField(field):
                raise NetError(where, f"{field} does not go with snippets of films", hint=hint)
        ratios = np.array(param.scale_ratios or RATIOS, np.float32)
        if not ((ratios > 0) & (ratios <= 1)).all():
            raise NetError(where, expected="scale_ratios above 0, at most 1", got=", ".join(f"{x:g}" for x in ratios))
        self.pairs = np.array([(ratios[i], ratios[j]) for i in range(len(ratios)) for j in range(len(ratios))
                               if abs(i - j) <= param.max_distort])
        if param.multi_scale and not (self.side and len(self.pairs)):
            raise NetError(where, expected="crop_size and a max_distort of at least 0 beside multi_scale",
                           got=f"{self.side} and {param.max_distort}")

    def output_shape(self, shape: Shape) -> Shape:
        """The shape (C, H, W) that images of `shape` get; ShapeError if crop or mean do not fit them."""
        channels, height, width = shape
        if min(height, width) < self.side:
            raise ShapeError(self.where, expected=f"images of at least {self.side} x {self.side} (crop_size)",
                             got=f"{height} x {width}")
        means = len(self.param.mean_value)
        if means and channels % means:
            raise ShapeError(self.where, expected=f"mean_value as often as divides the {channels} channels", got=means)
        return (channels, self.side, self.side) if self.side else shape

    def __call__(self, images: Sequence[np.ndarray], out: np.ndarray, rng: np.random.Generator) -> None:
        """Write the uint8 images (C, H, W) into `out`, float (N, C, H', W'), drawing from `rng`."""
        for image in images:
            self.output_shape(image.shape)
        sizes = np.array([image.shape[1:] for image in images])
        sides = self._sides(sizes, rng)
        places = self._places(sizes - sides, rng)
        flips = rng.integers(2, size=len(images)) if self.param.mirror else np.zeros(len(images), int)
        parts = in_parallel(self._part, zip(images, places.tolist(), sides.tolist(), flips.tolist()))
        self._plain(out.shape[1])(parts, out, rng)

    def _plain(self, channels: int) -> Transformer:
        """What is left to do with the parts: the means and the scale."""
        plain = type(self.param)(scale=self.param.scale)
        means = list(self.param.mean_value)
        plain.mean_value.extend(means * (channels // len(means)) if means else [])
        return Transformer(plain, False, self.where)

    def _sides(self, sizes: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Height and width of the part of each image, (N, 2)."""
        if not self.side:
            return sizes
        if not (self.random and self.param.multi_scale):
            return np.full_like(sizes, self.side)
        ratios = self.pairs[rng.integers(len(self.pairs), size=len(sizes))]
        sides = (sizes.min(axis=1).astype(np.float32)[:, None] * ratios).astype(int)
        return np.where(abs(sides - self.side) < NEAR, self.side, np.maximum(sides, 1))

    def _places(self, room: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Top and left edge of the part of each image, (N, 2)."""
        if not self.random or not self.side:
            return room // 2
        if not self.param.fix_crop:
            return rng.integers(room + 1)
        places = np.array(THIRTEEN if self.param.more_fix_crop else FIVE)
        return room // 4 * places[rng.integers(len(places), size=len(room))]

    def _part(self, job: tuple) -> np.ndarray:
        image, (y, x), (height, width), flip = job
        part = image[:, y:y + height, x:x + width]
        if self.side:
            part = resize(part, self.side, self.side)
        if not flip:
            return part
        part = part[:, :, ::-1]
        if self.param.is_flow:
            part = part.copy()
            part[::2] = WHITE - part[::2]
        return part
