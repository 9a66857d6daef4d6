"""WindowData."""

from __future__ import annotations

import numpy as np

from blobnet.core.registry import register
from blobnet.data.batches.window_file import CHANNELS, read_window_file
from blobnet.data.batches.windows import WindowBatches, central_mean
from blobnet.data.images.mean import read_mean
from blobnet.errors import NetError
from blobnet.layers.data._base import BatchSource
from blobnet.layers.data._images import image_shape

MODES = ("warp", "square")


@register
class WindowData(BatchSource):
    """Windows of images, drawn at random, so many of objects and the others of background.

    x[i] = scale * (resize(window_i) - mean), 0 outside of the image

    Bottoms: none   Tops: x (N, 3, crop_size, crop_size), blue, green, red; labels (N,), 0 for background   Params: none
    Options: source, a window file; root_folder, put before its paths; batch_size N; fg_threshold, least overlap of an
    object (0.5); bg_threshold, below which a window is background (0.5); fg_fraction of the batch are objects (0.25);
    context_pad, pixels of the crop around the window (0); crop_mode, "warp" the window or the "square" around it;
    cache_images, keep the files in memory (false); scale (1); of transform_param crop_size, mirror, mean_file,
    mean_value; data_param.prefetch (4 batches read ahead)
    Paper: Girshick, Donahue, Darrell, Malik, Rich Feature Hierarchies for Accurate Object Detection and Semantic
    Segmentation, CVPR 2014.
    Quirks: scale counts here and not in transform_param, so the upgrade of an old net, which moves it there, loses it.
    mean_file, crop_size and mirror of window_data_param have no effect. The batch begins with background. A mean image
    is neither mirrored nor resized, and its part is as far from the top as from the left, (its width - crop_size) / 2.
    Both phases draw at random. An unknown crop_mode is an error; Caffe takes it for warp.
    """

    options_field = batch_field = "window_data_param"
    more_options = ("transform_param", "data_param")
    num_tops = 2
    label_tops = (1,)

    @classmethod
    def declared_shapes(cls, layer, batch):
        return [image_shape(layer, batch, CHANNELS), (batch,)]

    def setup(self, bottom, top):
        options, transform = self.options, self.param.transform_param
        self.at_least_one(options, "batch_size")
        if not transform.crop_size:
            raise NetError(self.where, expected="crop_size above 0 in transform_param", got=0)
        for field in ("resize_param", "noise_param", "random_resize_param", "random_aspect_ratio_param"):
            if transform.HasField(field):
                raise NetError(self.where, f"{field} in transform_param", hint="remove it: windows get crop_size")
        if options.crop_mode not in MODES:
            raise NetError(self.where, expected="crop_mode " + " or ".join(MODES), got=repr(options.crop_mode))
        if 2 * options.context_pad >= transform.crop_size:
            raise NetError(self.where, expected=f"context_pad below half of crop_size {transform.crop_size}",
                           got=options.context_pad)
        if not 0 <= options.fg_fraction <= 1:
            raise NetError(self.where, expected="fg_fraction from 0 to 1", got=options.fg_fraction)
        windows = read_window_file(self.source("window_data_param"), options.fg_threshold, options.bg_threshold,
                                   options.root_folder)
        batches = WindowBatches(windows, options.batch_size, transform.crop_size, self.dtype, self.streams(),
                                fg_fraction=options.fg_fraction, context_pad=options.context_pad,
                                square=options.crop_mode == "square", mirror=transform.mirror, scale=options.scale,
                                mean=self._mean(transform), cache=options.cache_images)
        self.read_ahead(batches, top)

    def _mean(self, transform):
        """What is subtracted: an image, or a column of values, or 0."""
        values = transform.mean_value
        if transform.mean_file:
            if values:
                raise NetError(self.where, "mean_file and mean_value exclude each other", hint="keep one of them")
            return central_mean(read_mean(transform.mean_file), transform.crop_size, self.where)
        if len(values) not in (0, 1, CHANNELS):
            raise NetError(self.where, expected=f"one mean_value or {CHANNELS}", got=len(values))
        return np.array(values or [0]).reshape(-1, 1, 1)
