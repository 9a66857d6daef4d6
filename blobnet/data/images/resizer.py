"""Resizer: images resized as resize_param says, and their boxes with them (SSD)."""

from __future__ import annotations

import numpy as np
from google.protobuf.message import Message

from blobnet.data.images.centering import object_part
from blobnet.data.images.interpolation import resize_by
from blobnet.data.images.rotation import rotated
from blobnet.errors import DataError, NetError, ShapeError
from blobnet.proto.budget import require

Size = tuple[int, int]  # height, width
TURNS = {"LINEAR": "LINEAR", "AREA": "LINEAR", "NEAREST": "NEAREST"}  # interp_mode, and how images are turned then


class Resizer:
    """Resizes uint8 images to height x width, by an interpolation drawn for each from those in interp_mode (or LINEAR).

    WARP: whatever their shape was. FIT_SMALL_SIZE: the shape stays, and no side is smaller than asked for.
    FIT_LARGE_SIZE_AND_PAD: the shape stays, no side is larger, and what is missing is filled up on both sides, with
    pad_value (CONSTANT) or as pad_mode says. Before that, an image is cut to the object in it (center_object), and
    turned by an angle of up to max_angle, drawn for each. NetError for options that cannot be.
    """

    def __init__(self, param: Message, where: str = "resize_param"):
        self.param, self.where = param, where
        if not param.height or not param.width:
            raise NetError(where, expected="height and width above 0 in resize_param",
                           got=f"{param.height} x {param.width}")
        if not all(0 <= value <= 255 for value in param.pad_value):
            raise NetError(where, expected="pad_value from 0 to 255", got=list(param.pad_value))
        if not 0 <= param.max_angle <= 360:
            raise NetError(where, expected="max_angle from 0 to 360", got=f"{param.max_angle:g}")
        names = {type(param).Interp_mode.Name(mode) for mode in param.interp_mode}
        if param.max_angle and not names <= TURNS.keys():
            raise NetError(where, expected="interp_mode LINEAR, AREA or NEAREST with max_angle",
                           got=" and ".join(sorted(names - TURNS.keys())), hint="no other is here")
        if param.center_object and param.resize_mode == param.FIT_SMALL_SIZE:
            raise NetError(where, "center_object with resize_mode FIT_SMALL_SIZE", hint="sizes would not be known")

    def size(self, old: Size) -> Size:
        """The size that an image of `old` size gets."""
        height, width = self._exact(old)
        return int(height), int(width)

    def __call__(self, image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """The image (C, H, W) resized, drawing from `rng`; DataError for others than uint8."""
        image, interpolation = require_bytes(image, self.where), draw_interpolation(self.param, rng)
        if self.param.center_object:
            image = object_part(image, self.where)
        if self.param.max_angle:
            border = type(self.param).Pad_mode.Name(self.param.pad_mode)
            image = rotated(image, rng.uniform(-1, 1) * self.param.max_angle, TURNS[interpolation], border,
                            self._pad_values(len(image)))
        size = self._inner(image.shape[1:])
        require(len(image) * size[0] * size[1], self.where, f"an image of {size[0]} x {size[1]}", image.nbytes)
        return self._padded(resize_by(image, *size, interpolation))

    @np.errstate(over="ignore", invalid="ignore")  # boxes of a stranger may be huge
    def boxes(self, boxes: np.ndarray, old: Size) -> np.ndarray:
        """The boxes (B, 4) of an image of `old` size, parts of it, as parts of the resized one."""
        before, after = (np.array([width, height] * 2, np.float32) for height, width in (old, self._exact(old)))
        border = self._border(old)
        corners = boxes * before * (after - 2 * border) / before
        return (border + np.concatenate([np.maximum(0, corners[:, :2]), np.minimum(after[2:], corners[:, 2:])],
                                        axis=1)) / after

    def rescaled(self, boxes: np.ndarray, old: Size, window: np.ndarray) -> np.ndarray:
        """The boxes (B, 4) in the part `window` of the resized image as parts of width_scale and height_scale, with
        FIT_SMALL_SIZE and where both are given. DataError for a part that is smaller than these."""
        scale = np.array([self.param.width_scale, self.param.height_scale], np.float32)
        if self.param.resize_mode != self.param.FIT_SMALL_SIZE or not scale.all():
            return boxes
        height, width = self._exact(old)
        part = np.array([width, height], np.float32) * (window[2:] - window[:2])
        if (part < scale).any():
            raise DataError(self.where, expected=f"at least width_scale x height_scale ({scale[0]:g} x {scale[1]:g})",
                            got=f"{part[0]:g} x {part[1]:g}")
        return boxes * np.tile(part, 2) / np.tile(scale, 2)

    def _wide(self, old: Size) -> tuple[np.float32, bool]:
        """Width / height of an image, and whether it is wider than what it is resized to."""
        aspect = np.float32(old[1]) / np.float32(old[0])
        return aspect, bool(aspect > np.float32(self.param.width) / np.float32(self.param.height))

    def _exact(self, old: Size) -> tuple[np.float32, np.float32]:
        """The new height and width before they are rounded down."""
        height, width = np.float32(self.param.height), np.float32(self.param.width)
        if self.param.resize_mode == self.param.FIT_SMALL_SIZE:
            aspect, wide = self._wide(old)
            if wide or aspect == width / height:
                return height, aspect * height
            return width / aspect, width
        return height, width

    def _inner(self, old: Size) -> Size:
        """The size before the image is filled up."""
        if self.param.resize_mode != self.param.FIT_LARGE_SIZE_AND_PAD:
            return self.size(old)
        aspect, wide = self._wide(old)
        height, width = self.param.height, self.param.width
        return (int(np.float32(width) / aspect), width) if wide else (height, int(aspect * np.float32(height)))

    def _border(self, old: Size) -> np.ndarray:
        """How wide the borders are, which boxes know exactly: (x, y, x, y)."""
        if self.param.resize_mode != self.param.FIT_LARGE_SIZE_AND_PAD:
            return np.zeros(4, np.float32)
        aspect, wide = self._wide(old)
        height, width = np.float32(self.param.height), np.float32(self.param.width)
        border = [0, (height - width / aspect) / 2] if wide else [(width - aspect * height) / 2, 0]
        return np.array(border * 2, np.float32)

    def _padded(self, image: np.ndarray) -> np.ndarray:
        """The image filled up to its size, if it is to be."""
        param = self.param
        missing = [max(0, new - old) for new, old in zip((param.height, param.width), image.shape[1:])]
        if param.resize_mode != param.FIT_LARGE_SIZE_AND_PAD or not any(missing):
            return image
        borders = [(0, 0), *((room // 2, room - room // 2) for room in missing)]
        if param.pad_mode == param.MIRRORED:
            return np.pad(image, borders, "reflect")
        if param.pad_mode == param.REPEAT_NEAREST:
            return np.pad(image, borders, "edge")
        out = np.empty((len(image), param.height, param.width), np.uint8)
        out[...] = self._pad_values(len(image)).reshape(-1, 1, 1)
        (top, _), (left, _) = borders[1:]
        out[:, top:top + image.shape[1], left:left + image.shape[2]] = image
        return out

    def _pad_values(self, channels: int) -> np.ndarray:
        values = self.param.pad_value or [0]
        if len(values) not in (1, channels):
            raise ShapeError(self.where, expected=f"one pad_value or one a channel ({channels})", got=len(values))
        return np.rint(np.array(values))


def require_bytes(image: np.ndarray, where: str) -> np.ndarray:
    """The image; DataError unless it is uint8."""
    if image.dtype != np.uint8:
        raise DataError(where, expected="uint8 images to resize or to change", got=str(image.dtype),
                        hint="leave resize_param and the like out")
    return image


def draw_interpolation(param: Message, rng: np.random.Generator) -> str:
    """The name of one of the interpolations in a ResizeParameter; nothing is drawn if there is no choice."""
    modes = param.interp_mode
    number = modes[int(rng.integers(len(modes)))] if len(modes) > 1 else modes[0] if modes else param.LINEAR
    return type(param).Interp_mode.Name(number)
