"""Mining of the regions that a detector finds hard."""

from __future__ import annotations

import numpy as np

from blobnet.core.layer import Layer
from blobnet.core.registry import register
from blobnet.errors import NetError, ShapeError


@register
class BoxAnnotatorOHEM(Layer):
    """Keep labels and weights of those regions of every image that have the largest losses, and ignore the others.

    y = labels, v = weights where fewer than roi_per_img regions of the same image have a larger loss,
    y = ignore_label, v = 0 elsewhere

    Bottoms: rois (R, 5, H, W) of [image, x1, y1, x2, y2]; losses (R, 1, H, W); labels (R, 1, H, W); weights
    (R, K, H, W). H and W are 1 as a rule, and may be left out
    Tops: y (R, 1, H, W); v (R, K, H, W)
    Params: none
    Options: box_annotator_ohem_param.roi_per_img, ignore_label (-1)
    Paper: Shrivastava et al., Training Region-based Object Detectors with Online Hard Example Mining, CVPR 2016, as in
    the code of Dai et al., R-FCN, NIPS 2016.
    Quirks: of equal losses the first one counts as larger; in the published code it may be any. Where H W > 1, every
    place is a region; the published code reads past the end of its memory. All gradients are 0: write propagate_down:
    false four times, so that no loss behind is asked for a gradient of y.
    """

    options_field = "box_annotator_ohem_param"
    num_bottoms, num_tops = 4, 2
    unforced_bottoms = (0, 1, 2, 3)

    def setup(self, bottom, top):
        if not self.options.roi_per_img:
            raise NetError(self.where, expected="roi_per_img above 0", got=0,
                           hint="write box_annotator_ohem_param { roi_per_img: 128 }")

    def reshape(self, bottom, top):
        shapes = [blob.shape + (1,) * (4 - len(blob.shape)) for blob in bottom]
        regions, _, *maps = shapes[0]
        channels = shapes[3][1]
        for i, (shape, size) in enumerate(zip(shapes, (5, 1, 1, channels))):
            if shape != (regions, size, *maps) or len(maps) != 2:
                raise ShapeError(self.where, f"bottom {i} {self.param.bottom[i]!r}", got=bottom[i].shape,
                                 expected=f"({regions if i else 'R'}, {size if i < 3 else 'K'}, H, W), H and W as in "
                                 "the first bottom", hint="regions are rows of [image, x1, y1, x2, y2]")
        self.grouped = regions, channels, maps[0] * maps[1]
        for blob, size in zip(top, (1, channels), strict=True):
            blob.reshape((regions, size, *maps))

    def formula(self, rois, losses, labels, weights):
        R, K, S = self.grouped
        image, weights = rois.reshape(R, 5, S)[:, 0].astype(int), weights.reshape(R, K, S)
        losses, labels = losses.reshape(R, S), labels.reshape(R, S)
        y, v = np.full((R, S), self.options.ignore_label, float), np.zeros((R, K, S))
        for n, s in np.ndindex(R, S):
            larger = [p for p in np.ndindex(R, S) if image[p] == image[n, s]
                      and (losses[p] > losses[n, s] or losses[p] == losses[n, s] and p < (n, s))]
            if len(larger) < self.options.roi_per_img:
                y[n, s], v[n, :, s] = labels[n, s], weights[n, :, s]
        return y, v

    def forward(self, bottom, top):
        regions, channels, places = self.grouped
        xp, image = self.xp, self.xp.trunc(bottom[0].data.reshape(regions, 5, places)[:, 0].reshape(-1))
        order = xp.lexsort(xp.stack([-bottom[1].data.reshape(-1), image]))  # by image, large losses first
        images = image[order]
        rank = xp.arange(len(order)) - xp.searchsorted(images, images)  # within the image
        kept = xp.empty(len(order), bool)
        kept[order] = rank < self.options.roi_per_img
        kept = kept.reshape(regions, 1, places)
        for blob, given, size, other in zip(top, bottom[2:], (1, channels), (self.options.ignore_label, 0)):
            values = xp.where(kept, given.data.reshape(regions, size, places), other)
            blob.data[...] = values.reshape(blob.shape)

    def backward(self, top, propagate_down, bottom):
        for wanted, blob in zip(propagate_down, bottom, strict=True):
            if wanted:
                blob.diff.fill(0)
