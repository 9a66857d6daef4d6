"""Boxes of several sizes and shapes at every place of a map."""

from __future__ import annotations

import math

import numpy as np

from blobnet.core.layer import Layer
from blobnet.core.registry import register
from blobnet.errors import NetError, ShapeError


@register
class PriorBox(Layer):
    """Put K boxes round the middle of every cell of a map, from which a detector predicts how far off things are.

    y[0, 0] = (cx - b/2) / W', (cy - a/2) / H', (cx + b/2) / W', (cy + a/2) / H' of each box, b x a large, round
    cx = (w + offset) step_w, cy = (h + offset) step_h, for all rows h, columns w of the map and K sizes in this order
    y[0, 1] = the four variances, for each box
    Sizes, for each min_size s: s x s; sqrt(s s') x sqrt(s s') with its max_size s'; for each aspect ratio r, then with
    flip for 1/r: s sqrt(r) wide, s / sqrt(r) high.

    Bottoms: x (N, C, H, W), the map; image (N, C', H', W'), of which only the sizes count, as of the map
    Tops: y (1, 2, 4 H W K): corners as shares of the image, then variances
    Params: none
    Options: prior_box_param.min_size, max_size (none, or one for each min_size, larger), aspect_ratio, flip (true),
    clip (false): corners within 0 ... 1; variance (0.1), once or four times; img_size, or img_h and img_w (those of
    the image); step, or step_h and step_w (H' / H and W' / W); offset (0.5)
    Paper: Liu et al., SSD: Single Shot MultiBox Detector, ECCV 2016.
    Quirks: sizes are cut to whole pixels first, also under the root. An aspect ratio of 1, or one that was there
    before, is left out. The gradient is 0.
    """

    options_field = "prior_box_param"
    num_bottoms = 2
    size_bottoms = (0, 1)

    def setup(self, bottom, top):
        options = self.options
        smallest, largest, variances = list(options.min_size), list(options.max_size), list(options.variance) or [0.1]
        if not smallest or min(smallest) <= 0:
            raise NetError(self.where, expected="one min_size or more, above 0", got=smallest or "none",
                           hint="write prior_box_param { min_size: 30 }")
        if largest and (len(largest) != len(smallest) or any(b <= a for a, b in zip(smallest, largest))):
            raise NetError(self.where, expected=f"no max_size, or a larger one for each min_size {smallest}",
                           got=largest)
        if len(variances) not in (1, 4) or min(variances) <= 0:
            raise NetError(self.where, expected="variance once or four times, above 0", got=variances)
        ratios = [1.0]
        for ratio in options.aspect_ratio:
            if not ratio > 0:
                raise NetError(self.where, expected="aspect_ratio above 0", got=ratio)
            if all(abs(ratio - other) >= 1e-6 for other in ratios):
                ratios += [ratio, 1 / ratio] if options.flip else [ratio]
        self.sizes = []  # width and height of each box, in pixels
        for i, least in enumerate(map(int, smallest)):
            middle = [math.sqrt(least * int(largest[i]))] if largest else []
            self.sizes += [(size, size) for size in [least, *middle]]
            self.sizes += [(least * math.sqrt(ratio), least / math.sqrt(ratio)) for ratio in ratios[1:]]
        self.variances = variances * (4 // len(variances))
        self.image, self.steps = self._height_and_width("img", "img_size"), self._height_and_width("step", "step")

    def _height_and_width(self, prefix, both):
        """A height and a width that the options give, once for both or each; None if they do not."""
        names = [name for name in (both, f"{prefix}_h", f"{prefix}_w") if self.options.HasField(name)]
        values = [getattr(self.options, name) for name in names]
        if names and (names not in ([both], [f"{prefix}_h", f"{prefix}_w"]) or min(values) <= 0):
            raise NetError(self.where, expected=f"{both}, or {prefix}_h and {prefix}_w, above 0",
                           got=", ".join(f"{name}: {value:g}" for name, value in zip(names, values)))
        return tuple(values * (3 - len(values))) if names else None

    def reshape(self, bottom, top):
        for i, blob in enumerate(bottom):
            if len(blob.shape) != 4 or not all(blob.shape[2:]):
                raise ShapeError(self.where, f"bottom {i} {self.param.bottom[i]!r}", got=blob.shape,
                                 expected="4 axes (N, C, H, W) with H and W above 0")
        height, width = self.image or bottom[1].shape[2:]
        rows, columns = bottom[0].shape[2:]
        step_h, step_w = self.steps or (height / rows, width / columns)
        y, x = np.ix_(np.arange(rows) + self.options.offset, np.arange(columns) + self.options.offset)
        middles = np.stack(np.broadcast_arrays(x * step_w, y * step_h), axis=-1)[:, :, None]
        halves = np.array(self.sizes) / 2
        corners = np.concatenate([middles - halves, middles + halves], axis=-1) / [width, height, width, height]
        if self.options.clip:
            corners = corners.clip(0, 1)
        self.priors = self.xp.asarray(np.stack([corners.ravel(), np.resize(self.variances, corners.size)]))
        top[0].reshape((1, *self.priors.shape))

    def formula(self, x, image):
        options, (H, W), y = self.options, self.image or image.shape[2:], []
        for h, w in np.ndindex(*x.shape[2:]):
            step_h, step_w = self.steps or (H / x.shape[2], W / x.shape[3])
            cx, cy = (w + options.offset) * step_w, (h + options.offset) * step_h
            y += [[(cx - b / 2) / W, (cy - a / 2) / H, (cx + b / 2) / W, (cy + a / 2) / H] for b, a in self.sizes]
        return np.array([np.clip(y, 0, 1) if options.clip else y, [self.variances] * len(y)])

    def forward(self, bottom, top):
        top[0].data[0] = self.priors

    def backward(self, top, propagate_down, bottom):
        for blob, wanted in zip(bottom, propagate_down):
            if wanted:
                blob.diff.fill(0)
