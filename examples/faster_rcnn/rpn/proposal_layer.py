"""ProposalLayer: boxes that may hold something, from the scores and offsets of anchors."""

import numpy as np

from blobnet.backend import to_host
from blobnet.errors import ShapeError
from fast_rcnn.boxes import best_apart, clipped, edges, shifted
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

    def onnx(self, part, scores, t, im_info):
        """The same in operators of ONNX, for `blobnet convert --to onnx`."""
        add, settings, shape = part.add, self.settings, part.bottom_shapes[0]
        part.open += [(i, 0) for i in range(len(part.top_shapes))]
        anchors, count = edges(self.grid(shape, 2)), len(self.anchors)
        low, high = anchors[..., :2], anchors[..., 2:]
        t = add("Transpose", part.reshape(t, (count, 4, *shape[2:])), perm=[2, 3, 0, 1])
        middles = add("Add", add("Mul", part.slice(t, [0], [2], [3]), high - low), (low + high) / 2)
        halves = add("Mul", add("Exp", part.slice(t, [2], [4], [3])), (high - low) / 2)
        height, width, scale = (add("Gather", part.reshape(im_info, [3]), [i]) for i in range(3))
        last = add("Sub", add("Concat", width, height, axis=0), 1.0)
        corners = [add("Max", add("Min", add(kind, middles, halves), last), 0.0) for kind in ("Sub", "Add")]
        boxes = part.reshape(add("Concat", *corners, axis=3), [-1, 4])
        sides = add("Add", add("Sub", corners[1], corners[0]), 1.0)
        large = add("GreaterOrEqual", sides, add("Mul", scale, float(settings.RPN_MIN_SIZE)))
        large = add("ReduceMin", add("Cast", large, to=6), axes=[3], keepdims=0)
        scores = add("Transpose", part.slice(scores, [count], [2 * count], [1]), perm=[0, 2, 3, 1])
        scores = part.reshape(add("Where", add("Equal", large, part.constant(1, np.int32)), scores, -np.inf), [-1])
        first = settings.RPN_PRE_NMS_TOP_N
        total = count * shape[2] * shape[3]
        scores, order = add("TopK", scores, [min(first, total) if first > 0 else total], outputs=2, axis=0)
        boxes = add("Gather", boxes, order, axis=0)
        most = settings.RPN_POST_NMS_TOP_N
        kept = add("NonMaxSuppression", add("Unsqueeze", add("Add", boxes, [0.0, 0, 1, 1]), [0]),
                   add("Unsqueeze", scores, [0, 1]), [most if most > 0 else total], [settings.RPN_NMS_THRESH],
                   [float(np.finfo(np.float32).min)])
        place = add("Gather", kept, part.constant(2), axis=1)
        rows = add("Pad", add("Gather", boxes, place, axis=0), [0, 1, 0, 0])
        return [rows, add("Unsqueeze", add("Gather", scores, place, axis=0), [1])][:len(part.top_shapes)]
