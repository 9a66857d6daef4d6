"""AnchorTargetLayer: what each anchor of a region proposal network is to learn."""

import numpy as np

from blobnet.errors import NetError
from fast_rcnn.boxes import offsets, overlaps
from fast_rcnn.sample import draw
from rpn.anchor_layer import AnchorLayer


class AnchorTargetLayer(AnchorLayer):
    """Label a sample of the anchors as objects, 1, or background, 0, and the others with -1, which losses ignore.

    Only anchors count that lie in the image, or reach out of it by less than allowed_border + 1 pixels. 1: those that a
    true box overlaps most, and those that overlap one by RPN_POSITIVE_OVERLAP. 0: of the others, those that overlap
    none by RPN_NEGATIVE_OVERLAP. Of these RPN_BATCHSIZE are drawn, RPN_FG_FRACTION of them objects if there are as
    many. Offsets lead from the anchor to the true box that it overlaps most.
    u = RPN_BBOX_INSIDE_WEIGHTS where the label is 1;   v = 1 / (number of anchors drawn) where it is 0 or 1

    Bottoms: scores (1, 2 A, H, W), of which only the shape counts; true boxes (G, 5) of [x1, y1, x2, y2, label];
    im_info (1, 3) of height, width and scale of the image[; data, without effect]
    Tops: labels (1, 1, A H, W); offsets, inside weights u, outside weights v, all (1, 4 A, H, W)
    param_str: feat_stride; scales (8, 16, 32), ratios (0.5, 1, 2); allowed_border (0)
    Paper: Ren et al., Faster R-CNN: Towards Real-Time Object Detection with Region Proposal Networks, NIPS 2015.
    Quirks: a true box that overlaps no anchor makes all of them 1 that do not overlap it. Which anchors are drawn
    depends on the net's random seed and the step. The gradient is 0.
    """

    num_bottoms, num_tops = (3, 4), 4
    needs = AnchorLayer.needs | {"allowed_border": 0}

    def setup(self, bottom, top):
        super().setup(bottom, top)
        if self.settings.RPN_POSITIVE_WEIGHT >= 1:
            raise NetError(self.where, expected="RPN_POSITIVE_WEIGHT below 1", got=self.settings.RPN_POSITIVE_WEIGHT)

    def reshape(self, bottom, top):
        height, width, anchors, _ = self.grid(bottom[0].shape, 2).shape
        top[0].reshape((1, 1, anchors * height, width))
        for blob in top[1:]:
            blob.reshape((1, 4 * anchors, height, width))

    def forward(self, bottom, top):
        grid, settings = self.grid(bottom[0].shape, 2), self.settings
        truth = self.values(bottom[1], 2, 5, "true boxes")
        size = self.values(bottom[2], 2, 3, "im_info")[0, 1::-1]  # width, height
        anchors = grid.reshape(-1, 4)
        inside = np.flatnonzero((anchors[:, :2] >= -settings.allowed_border).all(axis=1)
                                & (anchors[:, 2:] < size + settings.allowed_border).all(axis=1))
        shares = overlaps(anchors[inside], truth[:, :4])
        labels, t, u, v = np.full(len(anchors), -1.0), *np.zeros((3, len(anchors), 4))
        labels[inside] = self.labels(shares, self.draws())
        if len(truth):
            t[inside] = offsets(anchors[inside], truth[shares.argmax(axis=1), :4])
        u[labels == 1] = settings.RPN_BBOX_INSIDE_WEIGHTS
        for label, weight in enumerate(self.weights(labels)):
            v[labels == label] = weight
        self.write(top, labels.reshape(grid.shape[:3]).transpose(2, 0, 1).reshape(top[0].shape),
                   *(rows.reshape(*grid.shape[:2], -1).transpose(2, 0, 1)[None] for rows in (t, u, v)))

    def labels(self, shares: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """(A,) of 1, 0 and -1, from the overlaps (A, G) of anchors and true boxes."""
        settings, most = self.settings, shares.max(axis=1, initial=0)
        labels, negative = np.full(len(shares), -1.0), most < settings.RPN_NEGATIVE_OVERLAP
        labels[negative] = 0
        labels[(shares == shares.max(axis=0, initial=0)).any(axis=1)] = 1
        labels[most >= settings.RPN_POSITIVE_OVERLAP] = 1
        if settings.RPN_CLOBBER_POSITIVES:
            labels[negative] = 0
        left = settings.RPN_BATCHSIZE
        for label, wanted in ((1, int(settings.RPN_FG_FRACTION * left)), (0, left)):
            found = np.flatnonzero(labels == label)
            labels[found] = -1
            drawn = draw(found, min(wanted, left), rng)
            labels[drawn] = label
            left -= len(drawn)
        return labels

    def weights(self, labels: np.ndarray) -> tuple[float, float]:
        """The outside weights of background and of objects."""
        background, objects = ((labels == label).sum() for label in (0, 1))
        share = self.settings.RPN_POSITIVE_WEIGHT
        if share < 0:
            return (1 / max(background + objects, 1),) * 2
        return (1 - share) / max(background, 1), share / max(objects, 1)
