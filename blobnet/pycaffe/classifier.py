"""caffe.Classifier: a net that takes images as they are loaded and gives class probabilities."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from blobnet.core.context import TEST
from blobnet.errors import DataError
from blobnet.pycaffe import io
from blobnet.pycaffe.net import Net


def image_transformer(net: Net, mean=None, input_scale: float | None = None, raw_scale: float | None = None,
                      channel_swap: Sequence[int] | None = None) -> io.Transformer:
    """A Transformer from images (H, W, K) to the first input of `net`."""
    name = net.inputs[0]
    transformer: Any = io.Transformer({name: net.blobs[name].data.shape})
    transformer.set_transpose(name, (2, 0, 1))
    for setter, value in ((transformer.set_mean, mean), (transformer.set_input_scale, input_scale),
                          (transformer.set_raw_scale, raw_scale), (transformer.set_channel_swap, channel_swap)):
        if value is not None:
            setter(name, value)
    return transformer


class Classifier(Net):
    """A Net in TEST phase whose first input takes images, and whose first output is the prediction.

    `image_dims` (H, W) is what images are resized to before crops of the net's input size are taken, by default that
    size itself; the rest is set on a `caffe.io.Transformer`.
    """

    def __init__(self, model_file: str | os.PathLike, pretrained_file: str | os.PathLike,
                 image_dims: Sequence[int] | None = None, mean: np.ndarray | None = None,
                 input_scale: float | None = None, raw_scale: float | None = None,
                 channel_swap: Sequence[int] | None = None):
        Net.__init__(self, model_file, TEST, weights=pretrained_file)
        self.transformer = image_transformer(self, mean, input_scale, raw_scale, channel_swap)
        self.crop_dims = np.array(self.blobs[self.inputs[0]].data.shape[2:])
        self.image_dims: Any = self.crop_dims if image_dims is None or not len(image_dims) else image_dims

    def predict(self, inputs: Sequence[np.ndarray], oversample: bool = True) -> np.ndarray:
        """The predictions (N, C) for N images (H, W, K).

        With `oversample` each is the mean over ten crops (see `caffe.io.oversample`), else that of the central crop.
        """
        if len(inputs) == 0:
            raise DataError("Classifier.predict", expected="at least one image", got="none")
        images = np.stack([io.resize_image(image, self.image_dims) for image in inputs])
        if oversample:
            images = io.oversample(images, self.crop_dims)
        else:
            io.check_crop("Classifier.predict", images[0], self.crop_dims)
            rows, columns = self.crop_dims
            top, left = (np.array(images.shape[1:3]) - self.crop_dims) // 2
            images = images[:, top:top + rows, left:left + columns]
        name = self.inputs[0]
        prepared: Any = np.stack([self.transformer.preprocess(name, image) for image in images])
        predictions = self.forward_all(**{name: prepared})[self.outputs[0]]
        if oversample:
            predictions = predictions.reshape(len(predictions) // 10, 10, -1).mean(1)
        return predictions
