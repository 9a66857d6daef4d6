"""caffe.Detector: a net that classifies windows of images, as R-CNN does.

Source: Girshick, Donahue, Darrell, Malik, Rich feature hierarchies for accurate object detection, CVPR 2014.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from blobnet.core.context import TEST
from blobnet.errors import DataError
from blobnet.pycaffe import io
from blobnet.pycaffe.classifier import image_transformer
from blobnet.pycaffe.net import Net


class Detector(Net):
    """A Net in TEST phase whose first input takes windows of images, and whose first output is the prediction.

    `context_pad` is the width of the border, in pixels of the net's input, that shows what lies around a window; where
    the image ends it has the mean. The rest is set on a `caffe.io.Transformer`.
    """

    def __init__(self, model_file: str | os.PathLike, pretrained_file: str | os.PathLike,
                 mean: np.ndarray | None = None, input_scale: float | None = None, raw_scale: float | None = None,
                 channel_swap: Sequence[int] | None = None, context_pad: int | None = None):
        Net.__init__(self, model_file, TEST, weights=pretrained_file)
        self.transformer = image_transformer(self, mean, input_scale, raw_scale, channel_swap)
        self.configure_crop(context_pad)

    def detect_windows(self, images_windows: Iterable[tuple[str, Sequence]]) -> list[dict]:
        """Predictions for windows of image files, given as (file name, list of (ymin, xmin, ymax, xmax)).

        One dict a window: "window", "prediction" and "filename".
        """
        name = self.inputs[0]
        found, prepared = [], []
        for filename, windows in images_windows:
            image = io.load_image(filename)
            for window in windows:
                found.append({"window": window, "filename": filename})
                prepared.append(self.transformer.preprocess(name, self.crop(image, window)))
        if found:
            batch: dict[str, Any] = {name: np.stack(prepared)}
            predictions = self.forward_all(**batch)[self.outputs[0]]
            for item, prediction in zip(found, predictions):
                item["prediction"] = prediction
        return found

    def detect_selective_search(self, image_fnames: Sequence[str]) -> list[dict]:
        """`detect_windows` on the windows that the package selective_search_ijcv_with_python proposes."""
        try:
            import selective_search_ijcv_with_python as selective_search
        except ImportError as error:
            raise DataError("Detector", "no module selective_search_ijcv_with_python",
                            hint="install it, or give windows to detect_windows") from error
        paths = [os.path.abspath(name) for name in image_fnames]
        return self.detect_windows(zip(paths, selective_search.get_windows(paths, cmd="selective_search_rcnn")))

    def crop(self, im: np.ndarray, window: Sequence[float]) -> np.ndarray:
        """The part of the image (H, W, K) in the window (ymin, xmin, ymax, xmax), with its context if there is any.

        With context it has the size of the net's input. DataError if the window lies outside of the image.
        """
        try:
            ymin, xmin, ymax, xmax = map(int, window)
        except (TypeError, ValueError):
            raise DataError("Detector.crop", expected="a window of four numbers (ymin, xmin, ymax, xmax)",
                            got=repr(window)) from None
        part = im[max(ymin, 0):ymax, max(xmin, 0):xmax]
        if not part.size:
            raise DataError("Detector.crop", expected=f"a window in the image of {im.shape[0]} x {im.shape[1]}",
                            got=window)
        if not self.context_pad:
            return part
        y, end_y, top, height = _with_context(ymin, ymax, im.shape[0], self.crop_dims[0], self.context_pad)
        x, end_x, left, width = _with_context(xmin, xmax, im.shape[1], self.crop_dims[1], self.context_pad)
        out = np.ones(self.crop_dims, np.float32) * self.crop_mean
        out[top:top + height, left:left + width] = io.resize_image(im[y:end_y, x:end_x], (height, width))
        return out

    def configure_crop(self, context_pad: int | None) -> None:
        """Set `context_pad`, and what follows: `crop_dims` (H, W, K) and `crop_mean`, the mean of images as loaded."""
        name = self.inputs[0]
        channels, *sides = self.blobs[name].data.shape[1:]
        if context_pad and not 0 < 2 * context_pad < min(sides):
            raise DataError("Detector", expected=f"a context_pad below half of the net's side of {min(sides)}",
                            got=context_pad)
        self.context_pad, self.crop_dims = context_pad, np.array([*sides, channels])
        self.crop_mean = np.zeros(self.crop_dims, np.float32)
        mean, channel_swap, raw_scale = (setting.get(name) for setting in (
            self.transformer.mean, self.transformer.channel_swap, self.transformer.raw_scale))
        if mean is not None:
            mean = np.array(mean, np.float32, ndmin=3).transpose(1, 2, 0)
            if channel_swap is not None:
                mean = np.broadcast_to(mean, (*mean.shape[:2], channels))[:, :, np.argsort(channel_swap)]
            self.crop_mean = mean if raw_scale is None else mean / raw_scale


def _with_context(low: int, high: int, length: int, size: int, pad: int) -> tuple[int, int, int, int]:
    """One side of a window [low, high) with its context: its start and end in the image, its place and size in the net.

    The window fills the net's side of `size` pixels but for `pad` at either end; what is outside of the image's
    `length` is left out. Quirk, as published: lengths count the pixel at the end, so they are one too long.
    """
    half = (high - low + 1) / 2
    reach = half * size / (size - 2 * pad)
    start, end = np.round(low + half - reach), np.round(low + half + reach)
    scale = size / (end - start + 1)
    place = round(max(0.0, -start) * scale)
    start, end = np.clip([start, end], 0, length)
    extent = min(round((end - start + 1) * scale), size - place)
    return int(start), int(end), int(place), int(extent)
