"""Augmentation: images and their objects changed at random, before they are transformed (SSD)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from google.protobuf.message import Message

from blobnet.data.images.distort import Distortion
from blobnet.data.images.expansion import Expansion
from blobnet.data.images.objects import Objects, project
from blobnet.data.images.resizer import require_bytes
from blobnet.data.images.sampling import Jitter, Sampling, cut_out


class Augmentation:
    """Distorts colours (distort_param), puts images into larger ones (expand_param) and cuts out parts (the
    BatchSamplers, or `jitter` without any); the objects follow, and those stay that emit_constraint lets stay. NetError
    for options that cannot be."""

    def __init__(self, transform: Message, samplers: Sequence[Message], where: str = "transform_param",
                 jitter: float = 0):
        self.where = where
        self.distort = Distortion(transform.distort_param, where) if transform.HasField("distort_param") else None
        self.expand = (Expansion(transform.expand_param, transform, where) if transform.HasField("expand_param")
                       else None)
        resize = transform.resize_param
        self.sample: Sampling | Jitter | None = Sampling(samplers, where) if samplers else None
        if jitter and not samplers:
            self.sample = Jitter(jitter, resize.resize_mode == resize.FIT_LARGE_SIZE_AND_PAD, where)
        self.emit = transform.emit_constraint if transform.HasField("emit_constraint") else None

    def __call__(self, image: np.ndarray, objects: Objects, rng: np.random.Generator) -> tuple[np.ndarray, Objects]:
        """The image (C, H, W) and its objects, changed, drawing from `rng`; DataError for others than uint8."""
        if self.distort:
            image = self.distort(require_bytes(image, self.where), rng)
        if self.expand:
            image, window = self.expand(require_bytes(image, self.where), rng)
            objects = objects if window is None else project(objects, window, self.emit)
        window = self.sample(objects, rng) if self.sample else None
        if window is not None:
            image, objects = cut_out(image, window), project(objects, window, self.emit)
        return image, objects
