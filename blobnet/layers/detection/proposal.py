"""Boxes that may hold something, from scores and shifts of anchors."""

from __future__ import annotations

import numpy as np

from blobnet.backend import to_host
from blobnet.core.layer import Layer
from blobnet.core.registry import register
from blobnet.errors import NetError, ShapeError
from blobnet.layers.detection._suppression import apart


@register
class Proposal(Layer):
    """Shift the anchors of a region proposal network, and keep the best boxes that do not overlap much.

    Anchor k = i S + j, of ratio r_i and scale s_j of S scales, is s_j v wide, v = round(base_size / sqrt(r_i)), and
    s_j round(r_i v) high. In column x of the map its middle is m = feat_stride x + base_size / 2; rows likewise.
    x1, x2 = m + b d_0 - b'/2, m + b d_0 + b'/2, within the image, with b its width and b' = b exp(d_2); so y1, y2 with
    d_1, d_3. score = foreground score, or 0 if the box is smaller than min_size times the scale of the image
    Of the pre_nms_topn best boxes, in the order of their scores, each is kept whose IoU with none kept before is above
    nms_thresh, up to post_nms_topn boxes.

    Bottoms: scores (1, 2 A, H, W), background of all A anchors first; shifts d (1, 4 A, H, W); im_info (1, 4):
    height, width, and the scales of both from the original image
    Tops: boxes (K, 5) of [0, x1, y1, x2, y2][; their scores (K,)]
    Params: none
    Options: proposal_param.ratio and scale, as many as there are; feat_stride (16), base_size (16), min_size (16),
    pre_nms_topn (6000), post_nms_topn (300), nms_thresh (0.7)
    Paper: Ren et al., Faster R-CNN: Towards Real-Time Object Detection with Region Proposal Networks, NIPS 2015; as in
    the code of PVANET.
    Quirks: K changes from pass to pass; when the net is built it is post_nms_topn. Sizes are x2 - x1 + 1. Boxes that
    are too small stay, with the score 0. Equal scores keep the order row, column, anchor. More than 4 numbers in
    im_info have no effect; of 3 the last is both scales. All is computed on the host. The gradient is 0.
    caffe-windows takes scale as a length in pixels, which is scale * base_size here, and rounds only at the end.
    """

    options_field = "proposal_param"
    num_bottoms, num_tops = 3, (1, 2)
    unforced_bottoms = (0, 1, 2)

    def setup(self, bottom, top):
        options = self.options
        if not options.ratio or not options.scale or min(*options.ratio, *options.scale) <= 0:
            raise NetError(self.where, expected="ratio and scale, one or more, above 0",
                           got=(list(options.ratio), list(options.scale)),
                           hint="write proposal_param { ratio: 0.5 ratio: 1 ratio: 2 scale: 8 scale: 16 scale: 32 }")
        sizes = []
        for ratio in options.ratio:
            width = np.floor(np.sqrt(options.base_size ** 2 / ratio) + 0.5)
            height = np.floor(width * ratio + 0.5)
            sizes += [(width * scale, height * scale) for scale in options.scale]
        self.sizes = np.array(sizes, self.dtype)

    def reshape(self, bottom, top):
        anchors, (scores, shifts, info) = len(self.sizes), (blob.shape for blob in bottom)
        for i, shape, per_anchor in ((0, scores, 2), (1, shifts, 4)):
            if len(shape) != 4 or shape[:2] != (1, per_anchor * anchors) or shape[2:] != scores[2:]:
                raise ShapeError(self.where, f"bottom {i} {self.param.bottom[i]!r}", got=shape,
                                 expected=f"(1, {per_anchor * anchors}, H, W), of one image and {anchors} anchors, and "
                                 "H and W alike in scores and shifts")
        if info[:1] != (1,) or bottom[2].count < 3:
            raise ShapeError(self.where, f"bottom 2 {self.param.bottom[2]!r}", got=info,
                             expected="(1, 4): height and width of the image, and their scales")
        for blob, axes in zip(top, ((5,), ())):
            blob.reshape((self.options.post_nms_topn, *axes))

    def formula(self, scores, shifts, info):
        options, (H, W, *scales), found = self.options, info.ravel()[:4], []
        for h, x, k in np.ndindex(*scores.shape[2:], len(self.sizes)):
            d, size = shifts[0, 4 * k:4 * k + 4, h, x], self.sizes[k].astype(float)
            m = np.array([x, h]) * options.feat_stride + options.base_size / 2 + d[:2] * size
            half = size * np.exp(d[2:]) / 2
            box = np.clip([m - half, m + half], 0, [W - 1, H - 1])
            large = all(box[1] - box[0] + 1 >= options.min_size * np.array([scales[-1], scales[0]]))
            found.append((scores[0, len(self.sizes) + k, h, x] * large, box))
        kept = []
        for score, (low, high) in sorted(found, key=lambda pair: -pair[0])[:options.pre_nms_topn]:
            for _, (least, most) in kept:
                sides = np.minimum(high, most) - np.maximum(low, least)
                both = np.prod(sides + 1) * all(sides >= 0)
                if both > options.nms_thresh * (np.prod(high - low + 1) + np.prod(most - least + 1) - both):
                    break
            else:
                kept.append((score, (low, high)))
        kept = kept[:options.post_nms_topn]
        return np.array([[0, *low, *high] for _, (low, high) in kept]), np.array([score for score, _ in kept])

    def forward(self, bottom, top):
        scores, shifts, info = (to_host(blob.data) for blob in bottom)
        boxes, scores = self._shifted(scores, shifts, info.reshape(-1)[:4])
        best = np.argsort(-scores, kind="stable")[:self.options.pre_nms_topn]
        kept = best[apart(boxes[best], self.options.nms_thresh, self.options.post_nms_topn)]
        rows = np.concatenate([np.zeros((len(kept), 1), self.dtype), boxes[kept]], axis=1)
        for blob, values in zip(top, (rows, scores[kept])):
            blob.reshape(values.shape)
            blob.data[...] = self.xp.asarray(values)

    def _shifted(self, scores, shifts, info):
        """The box of each anchor at each cell of the map, (H W A, 4), and its score."""
        anchors, (height, width) = len(self.sizes), scores.shape[2:]
        d = shifts.reshape(anchors, 4, height, width).transpose(2, 3, 0, 1)
        cells = np.stack(np.broadcast_arrays(np.arange(width), np.arange(height)[:, None]), axis=-1)[:, :, None]
        with np.errstate(over="ignore"):
            middles = d[..., :2] * self.sizes + (cells * self.options.feat_stride + self.options.base_size / 2)
            halves = np.exp(d[..., 2:]) * self.sizes / 2
        inside = info[[1, 0]] - 1
        low, high = (np.maximum(np.minimum(corner, inside), 0) for corner in (middles - halves, middles + halves))
        large = (high - low + 1 >= self.options.min_size * info[[-1, 2]]).all(-1)
        scores = scores[0, anchors:].transpose(1, 2, 0) * large
        return np.concatenate([low, high], axis=-1).reshape(-1, 4).astype(self.dtype), scores.reshape(-1)

    def backward(self, top, propagate_down, bottom):
        for blob, wanted in zip(bottom, propagate_down):
            if wanted:
                blob.diff.fill(0)
