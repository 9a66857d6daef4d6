"""ProposalLayer: boxes that may hold something, from the scores and offsets of anchors."""

import numpy as np

from blobnet.backend import to_host
from blobnet.errors import ShapeError
from fast_rcnn.boxes import best_apart, clipped, shifted
from rpn.anchor_layer import AnchorLayer


class ProposalLayer(AnchorLayer):
    """Shift the anchors, and keep the best boxes that do not overlap much.

    Every anchor is moved and scaled by its offsets and cut at the border of the image. Boxes with a side below
    RPN_MIN_SIZE times the scale of the image are left out. Of the RPN_PRE_NMS_TOP_N best, each is kept whose IoU with
    none kept before is above RPN_NMS_THRESH, up to RPN_POST_NMS_TOP_N.

    Bottoms: probabilities (1, 2 A, H, W), background of all A anchors first; offsets (1, 4 A, H, W); im_info (1, 3):
    height and width of the image, and how many times as large as the original it is
    Tops: boxes (R, 5) of [0, x1, y1, x2, y2][; their scores (R, 1)]
    param_str: feat_stride, pixels between two places of the map; scales (8, 16, 32), ratios (0.5, 1, 2) of anchors
    Paper: Ren et al., Faster R-CNN: Towards Real-Time Object Detection with Region Proposal Networks, NIPS 2015.
    Quirks: equal scores keep the order row, column, anchor. The gradient is 0.
    """

    num_bottoms, num_tops = 3, (1, 2)

    def reshape(self, bottom, top):
        for blob, shape in zip(top, ((1, 5), (1, 1))):
            blob.reshape(shape)

    def forward(self, bottom, top):
        anchors, settings = self.grid(bottom[0].shape, 2), self.settings
        if bottom[1].shape != (1, 4 * len(self.anchors), *anchors.shape[:2]):
            raise ShapeError(self.where, expected=f"offsets (1, {4 * len(self.anchors)}, H, W), as many places as "
                             f"{bottom[0].shape}", got=bottom[1].shape)
        scores, t = (to_host(blob.data)[0].transpose(1, 2, 0) for blob in bottom[:2])
        scores, t = scores[..., len(self.anchors):].reshape(-1), t.reshape(-1, 4)
        height, width, scale = self.values(bottom[2], 2, 3, "im_info")[0]
        boxes = clipped(shifted(anchors.reshape(-1, 4), t), height, width)
        large = (boxes[:, 2:] - boxes[:, :2] + 1 >= settings.RPN_MIN_SIZE * scale).all(axis=1)
        boxes, scores = boxes[large], scores[large]
        kept = best_apart(boxes, scores, settings.RPN_NMS_THRESH, settings.RPN_PRE_NMS_TOP_N,
                          settings.RPN_POST_NMS_TOP_N)
        self.write(top, np.pad(boxes[kept], ((0, 0), (1, 0))), scores[kept, None])
