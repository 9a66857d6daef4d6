"""The loss of YOLOv3."""

from __future__ import annotations

import numpy as np

from blobnet.backend import to_host
from blobnet.core.registry import register
from blobnet.errors import NetError
from blobnet.layers.detection._region_layer import RegionLayer
from blobnet.layers.detection._regions import (
    anchors_of,
    by_anchor,
    cells_of,
    largest_overlaps,
    masked,
    region_boxes,
    size_overlaps,
)
from blobnet.ops.softmax import sigmoid


@register
class Yolov3(RegionLayer):
    """How badly the boxes, the objectness and the classes of anchors of one scale fit the true boxes.

    An anchor of a cell, w_a pixels wide and h_a high, of cells of P pixels, predicts t_x, t_y, t_w, t_h, t_o and C
    scores: [x, y, w, h] = [(column + s_x) / W, (row + s_y) / H, w_a e^t_w / (P W), h_a e^t_h / (P H)];  all but t_w and
    t_h come as s = 1 / (1 + e^-t). A true box [X, Y, X', Y'] of class k learns from the anchors of its cell that
    overlap it by more than iou_thresh, if both had the same middle, and from the best of all if it is in the mask.

    loss = 1/N * sum d^2,   dt = weight/N * d, with use_logic_gradient times s (1 - s) where s is
    without a true box  d_o = s_o, 0 if an overlap with a true box is above thresh
    with one  d_o = s_o - 1, times object_scale if use_logic_gradient;   f = coord_scale (2 - X' Y')
    d_x = f (s_x - (X W - column)), d_y likewise;   d_w = f (t_w - log(X' P W / w_a)), d_h likewise
    d_scores = class_scale * (s - [class is k] (1 - e) - e / 2),   e = label_smooth_eps

    Bottoms: t (N, A (5 + C), H, W); labels (N, ...), [class, X, Y, X', Y'] for each true box, up to one with X' = 0, or
    as of SSD, (1, 1, G, 8), rows [image or -1, class + 1, -, x1, y1, x2, y2, -]
    Tops: loss ()
    Params: none
    Options: yolov3_param.num A (5), num_class C (20), biases, w_a and h_a of all anchors; mask, the numbers of those
    of this scale; anchors_scale P (32); object_scale (1), class_scale (1), coord_scale (5), thresh (0.2), iou_thresh
    (0.5; 1: only the best), label_smooth_eps (0.1), use_logic_gradient (false), gradient
    Paper: Redmon and Farhadi, YOLOv3: an incremental improvement, 2018; as in MobileNet-YOLO, newest version.
    Quirks: the published gradient, shown above, is not the derivative of the loss; gradient: EXACT is. Of true boxes
    with the same anchor the last says where it is to be, and all say the classes. Those without an area are left out.
    Earlier versions learn as with iou_thresh: 1 and label_smooth_eps: 0. Of masks such as 1, 2, 3, which no net there
    has, that program leaves out anchors that it should not. Everything is computed on the host.
    use_focal_loss and other kinds of iou_loss are refused; side and noobject_scale have no effect.
    """

    options_field = "yolov3_param"

    def setup(self, bottom, top):
        options = self.options
        if not options.num_class or not options.anchors_scale or not 0 <= options.label_smooth_eps <= 1:
            raise NetError(self.where, expected="num_class and anchors_scale of at least 1, label_smooth_eps in [0, 1]",
                           got=f"{options.num_class}, {options.anchors_scale} and {options.label_smooth_eps:g}")
        self.anchors = anchors_of(options, len(options.biases) // 2, self.where) / options.anchors_scale
        self.mask = masked(options.mask, options.num, len(self.anchors), self.where)

    def forward(self, bottom, top):
        options, images = self.options, max(bottom[0].shape[0], 1)
        t, truth = by_anchor(to_host(bottom[0].data), options.num), self.true_boxes(bottom)
        self.s = np.empty_like(t)
        sigmoid(t, self.s)
        d, scale = np.zeros((2, *t.shape), t.dtype)  # scale: of d, by s or t_w and t_h
        background = largest_overlaps(region_boxes(t, self.anchors[self.mask]), truth) <= options.thresh
        d[..., 4], scale[..., 4] = background * self.s[..., 4], background
        boxes, places, hot = self._match(truth, t.shape)
        goal, sides, at = truth.box[boxes], np.array(t.shape[2:0:-1]), places[:4]
        f = options.coord_scale * (2 - goal[:, 2:].prod(axis=1, keepdims=True))
        inside = goal[:, :2] * sides - np.stack([at[2], at[1]], axis=1)
        size = np.log(goal[:, 2:] * sides / self.anchors[self.mask][at[3]])
        factor = options.object_scale if options.use_logic_gradient else 1
        wanted = options.class_scale * (hot * (1 - options.label_smooth_eps) + options.label_smooth_eps / 2)
        d[at] = np.concatenate([f * (self.s[at][:, :2] - inside), f * (t[at][:, 2:4] - size),
                                factor * (self.s[at][:, 4:5] - 1), options.class_scale * self.s[at][:, 5:] - wanted],
                               axis=1)
        scale[at] = np.concatenate([np.repeat(f, 4, axis=1), np.full((len(f), 1), factor),
                                    np.full(hot.shape, options.class_scale)], axis=1)
        self.d, self.scale, self.images = d, scale, images
        top[0].data[...] = np.square(d).sum() / images

    def _match(self, truth, shape):
        """The numbers (K,) of the true boxes whose places are learnt, these places, an index of anchors, and which of
        the classes (K, C) each is to have."""
        sides = np.array(shape[2:0:-1])
        shares = size_overlaps(self.anchors / sides, truth)
        fits = (shares > self.options.iou_thresh) & (self.options.iou_thresh < 1)
        fits[np.arange(len(shares)), shares.argmax(axis=1)] = True
        box, anchor = np.nonzero(fits[:, self.mask])
        row, column = cells_of(truth, sides)
        flat = np.ravel_multi_index((truth.image[box], row[box], column[box], anchor), shape[:4])
        places, last, group = np.unique(flat[::-1], return_index=True, return_inverse=True)
        hot = np.zeros((len(places), self.options.num_class), bool)
        hot[group.reshape(-1), truth.label[box[::-1]]] = True
        return box[::-1][last], np.unravel_index(places, shape[:4]), hot

    def backward(self, top, propagate_down, bottom):
        self.refuse_targets(propagate_down)
        if propagate_down[0]:
            slope = self.s * (1 - self.s)
            slope[..., 2:4] = 1
            exact = self.options.gradient == self.options.EXACT
            dx = 2 * self.d * self.scale * slope if exact else self.d
            if self.options.use_logic_gradient and not exact:
                dx = self.d * slope
            self.write_diff(bottom, dx, self.weight(top) / self.images)
