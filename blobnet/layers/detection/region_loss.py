"""The loss of YOLOv2."""

from __future__ import annotations

import numpy as np

from blobnet.backend import to_host
from blobnet.core.registry import register
from blobnet.errors import NetError
from blobnet.layers.detection._region_errors import RegionErrors
from blobnet.layers.detection._region_layer import RegionLayer
from blobnet.layers.detection._regions import anchors_of, by_anchor


@register
class RegionLoss(RegionLayer):
    """How badly the boxes, the objectness and the classes of anchors fit the true boxes.

    An anchor of a cell, w_a cells wide and h_a high, predicts t_x, t_y, t_w, t_h, t_o and C scores:
    [x, y, w, h] = [(column + s(t_x)) / W, (row + s(t_y)) / H, w_a e^t_w / W, h_a e^t_h / H], s(t) = 1 / (1 + e^-t)
    o = s(t_o), p = softmax(scores). A true box [X, Y, X', Y'] of class k learns from the anchor of its cell that
    overlaps it most, if both had the same middle.

    loss = 1/N * sum d^2,   dt = weight/N * d
    without a true box  d_o = noobject_scale * o * o (1 - o), 0 if an overlap with a true box is above thresh;
    with one  d_o = object_scale * (o - IoU) * o (1 - o), or 1 in place of IoU if rescore: 0;
    d_x = f (s(t_x) - (X W - column)) s(t_x) (1 - s(t_x)), d_y likewise;   d_w = f (t_w - log(X' W / w_a)), so d_h;
    f = coord_scale, times 2 - X' Y' if rescore: 0;   d_scores = class_scale * (p - [class is k])

    Bottoms: t (N, A (5 + C), H, W); labels (N, ...), [class, X, Y, X', Y'] for each true box, up to one with X' = 0
    Or labels as of SSD, (1, 1, G, 8), rows [image or -1, class + 1, -, x1, y1, x2, y2, -]. Then, as in Intel's fork,
    loss = sum d^2;   d_o = -2 object_scale * o (1 - o)^4 with a true box;   d_w, d_h no further from 0 than f
    Tops: loss ()
    Params: none
    Options: region_loss_param.num A (5), num_class C (20), biases, w_a and h_a of each anchor; object_scale (1),
    noobject_scale (0.5), class_scale (1), coord_scale (5), thresh (0.2), rescore (1), gradient; bias_match (1): 0
    chooses by the w, h that the anchors predict
    Paper: Redmon and Farhadi, YOLO9000: better, faster, stronger, CVPR 2017; as in MobileNet-YOLO and Intel's Caffe.
    Quirks: the published gradient, shown above, is not the derivative of the loss; gradient: EXACT is. Of true boxes
    with the same anchor the last counts. Those without an area are left out. Everything is computed on the host.
    softmax_tree and class_map of YOLO9000 are refused; side, softmax, jitter, absolute and random have no effect.
    """

    options_field = "region_loss_param"

    def setup(self, bottom, top):
        options = self.options
        if options.softmax_tree or options.class_map:
            raise NetError(self.where, "trees of classes are not supported",
                           hint="leave softmax_tree and class_map out")
        if options.coords != 4 or not options.num_class:
            raise NetError(self.where, expected="coords: 4 and num_class of at least 1",
                           got=f"{options.coords} and {options.num_class}")
        self.anchors = anchors_of(options, options.num, self.where)

    def forward(self, bottom, top):
        images = bottom[0].shape[0]
        x = by_anchor(to_host(bottom[0].data), len(self.anchors))
        self.errors = RegionErrors(x, self.true_boxes(bottom), self.anchors, self.options, self.as_ssd)
        self.images, self.divisor = max(images, 1), 1 if self.as_ssd else max(images, 1)
        top[0].data[...] = np.square(self.errors.d).sum() / self.divisor

    def backward(self, top, propagate_down, bottom):
        self.refuse_targets(propagate_down)
        if propagate_down[0]:
            exact = self.options.gradient == self.options.EXACT
            dx = self.errors.derivative() / self.divisor if exact else self.errors.d / self.images
            self.write_diff(bottom, dx, self.weight(top))
