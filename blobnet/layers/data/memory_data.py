"""MemoryData."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from blobnet.backend import as_numbers
from blobnet.core.context import TRAIN
from blobnet.core.registry import register
from blobnet.data.images.transformer import Transformer
from blobnet.errors import DataError, ShapeError
from blobnet.layers.data._base import Source


@register
class MemoryData(Source):
    """Images and labels from arrays that the user gives: `net.layer_dict["data"].reset(images, labels)`.

    x[i] = images[(n * N + i) mod R] in forward n after `reset`, of R images

    Bottoms: none   Tops: x (N, C, H, W); labels (N,) before the first forward, (N, 1, 1, 1) after it   Params: none
    Options: batch_size N, channels C, height H, width W; transform_param, which `add` applies and `reset` does not
    Paper: none.
    Quirks: the shape of the labels is Caffe's. R must be a multiple of N. Arrays are not copied: what a user writes
    into them later counts.
    """

    options_field = batch_field = "memory_data_param"
    more_options = ("transform_param",)
    num_tops = 2
    label_tops = (1,)

    @classmethod
    def declared_shapes(cls, layer, batch):
        options = layer.memory_data_param
        return [(batch, options.channels, options.height, options.width), (batch,)]

    def setup(self, bottom, top):
        options = self.options
        self.at_least_one(options, "batch_size", "channels", "height", "width")
        self.transformer = Transformer(self.param.transform_param, self.phase == TRAIN, f"{self.where} transform_param")
        self.image = (options.channels, options.height, options.width)
        top[0].reshape((options.batch_size, *self.image))
        top[1].reshape((options.batch_size,))
        self.data = self.labels = None
        self.step = self.origin = 0  # forwards made, and those before the data came

    def reset(self, data: np.ndarray, labels: Sequence[int] | np.ndarray) -> None:
        """Take batches from `data` (R, C, H, W) and `labels`, R numbers, from now on, from the first on.

        ShapeError if R is no multiple of the batch size, or a shape does not fit.
        """
        data, labels = self._numbers(data), self._numbers(labels)
        size = self.options.batch_size
        if data.shape[1:] != self.image or data.ndim != 4:
            raise ShapeError(self.where, expected=f"images (R, {', '.join(map(str, self.image))})", got=data.shape)
        if not len(data) or len(data) % size:
            raise ShapeError(self.where, expected=f"a number of images that is a multiple of batch_size {size}",
                             got=len(data))
        if labels.shape[:1] != data.shape[:1] or labels.size != len(data):
            raise ShapeError(self.where, expected=f"{len(data)} labels, one an image", got=f"shape {labels.shape}")
        self.data, self.labels, self.origin = data, labels.reshape(-1, 1, 1, 1), self.step

    def _numbers(self, values) -> np.ndarray:
        array = as_numbers(values)
        if array is None:
            raise DataError(self.where, expected="arrays of numbers", got=f"a {type(values).__name__}")
        return array

    def add(self, images: Sequence[np.ndarray], labels: Sequence[int] | np.ndarray) -> None:
        """As `reset`, with images (C, H', W') that go through transform_param first."""
        shapes = {self.transformer.output_shape(image.shape) for image in images} - {self.image}
        if shapes:
            raise ShapeError(self.where, expected=f"images that become {self.image} by transform_param",
                             got=shapes.pop())
        data = np.empty((len(images), *self.image), self.dtype)
        if len(images):
            self.transformer(images, data, self.streams()(self.step))
        self.reset(data, labels)

    def forward(self, bottom, top):
        if self.data is None:
            raise DataError(self.where, "has no data yet", hint="call its reset(data, labels) before forward")
        size = self.options.batch_size
        start = self.context.processes.batch(self.step - self.origin) * size % len(self.data)
        for blob, values in zip(top, (self.data, self.labels)):
            blob.reshape((size, *values.shape[1:]))
            blob.data[...] = self.xp.asarray(values[start:start + size])
        self.step += 1

    def seek(self, step):
        self.step = step
