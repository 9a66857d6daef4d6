"""Sampling: parts of images drawn at random, as the batch_samplers of SSD ask for them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from google.protobuf.message import Message

from blobnet.data.images.objects import Objects, satisfies
from blobnet.errors import NetError

MOST_TRIALS = 10000
BLOCK = 1 << 16  # windows times boxes that are compared at once


class Sampling:
    """Draws a part for each image from all that its BatchSamplers find; each tries up to max_trials and takes those
    that fulfil its constraint, up to max_sample. NetError for bounds that cannot be."""

    def __init__(self, samplers: Sequence[Message], where: str = "batch_sampler"):
        for each in samplers:
            low, high = each.sampler.min_scale, each.sampler.max_scale
            if not 0 < low <= high <= 1:
                raise NetError(where, expected="0 < min_scale <= max_scale <= 1 in sampler",
                               got=f"{low:g} and {high:g}")
            low, high = each.sampler.min_aspect_ratio, each.sampler.max_aspect_ratio
            if not 0 < low <= high < np.inf:
                raise NetError(where, expected="0 < min_aspect_ratio <= max_aspect_ratio in sampler",
                               got=f"{low:g} and {high:g}")
            if each.max_trials > MOST_TRIALS:
                raise NetError(where, expected=f"max_trials of at most {MOST_TRIALS}", got=each.max_trials)
        self.samplers = [each for each in samplers if each.use_original_image]

    def __call__(self, objects: Objects, rng: np.random.Generator) -> np.ndarray | None:
        """The window (4,), in parts of the image; None if none is found."""
        found = [windows for each in self.samplers for windows in self._found(each, objects.boxes, rng)]
        return np.concatenate(found)[rng.integers(sum(map(len, found)))].clip(0, 1) if found else None

    def _found(self, sampler: Message, boxes: np.ndarray, rng: np.random.Generator) -> list[np.ndarray]:
        windows = draw_windows(sampler.sampler, sampler.max_trials, rng)
        most = sampler.max_sample if sampler.HasField("max_sample") else len(windows)
        found: list[np.ndarray] = []
        size = max(1, BLOCK // max(1, len(boxes)))
        for start in range(0, len(windows), size):
            if most <= 0:
                break
            block = windows[start:start + size]
            fit = block[satisfies(block, boxes, sampler.sample_constraint)][:most]
            most -= len(fit)
            found += [fit] if len(fit) else []
        return found


class Jitter:
    """Draws a part for four of five images: its sides lack up to `most` of the image's, those of every fourth part up
    to half as much. It has the image's shape if `shape` is to stay. NetError for `most` outside of [0, 1)."""

    def __init__(self, most: float, shape: bool, where: str = "yolo_data_jitter"):
        if not 0 <= most < 1:
            raise NetError(where, expected="yolo_data_jitter in [0, 1)", got=f"{most:g}")
        self.most, self.shape = most, shape

    def __call__(self, objects: Objects, rng: np.random.Generator) -> np.ndarray | None:
        """The window (4,), in parts of the image; None for the whole."""
        kind, lacking, place = rng.random(), rng.random(2), rng.random(2)
        if kind < 0.2:
            return None
        lacking *= self.most / 2 if kind < 0.4 else self.most
        if self.shape:
            lacking[1] = lacking[0]
        corner = place * lacking
        return np.concatenate([corner, corner + 1 - lacking]).astype(np.float32)


def draw_windows(sampler: Message, count: int, rng: np.random.Generator) -> np.ndarray:
    """`count` windows (count, 4) at random: width * height = scale^2, width / height = the aspect ratio, or the nearest
    to it that lets the window be inside of the image."""
    draws = rng.random((4, count))
    scale = (sampler.min_scale + (sampler.max_scale - sampler.min_scale) * draws[0]).astype(np.float32)
    ratio = (sampler.min_aspect_ratio + (sampler.max_aspect_ratio - sampler.min_aspect_ratio) * draws[1])
    ratio = np.minimum(np.maximum(ratio.astype(np.float32), scale**2), 1 / scale**2)
    sides = np.minimum(np.stack([scale * np.sqrt(ratio), scale / np.sqrt(ratio)]), np.float32(1))
    corners = (draws[2:] * (1 - sides)).astype(np.float32)
    return np.concatenate([corners, corners + sides]).T


def cut_out(image: np.ndarray, window: np.ndarray) -> np.ndarray:
    """The part of the image (C, H, W) in `window`, rounded down to whole pixels, of which there is one at least."""
    height, width = image.shape[1:]
    corners = window * np.array([width, height] * 2, np.float32)
    left, top = np.minimum(corners[:2].astype(int), (width - 1, height - 1))
    columns, rows = np.maximum((corners[2:] - corners[:2]).astype(int), 1)
    return image[:, top:top + rows, left:left + columns]
