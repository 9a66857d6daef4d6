"""ProposalTargetLayer: which proposals a detector learns from, and what."""

import numpy as np

from blobnet.errors import DataError, NetError
from fast_rcnn.layer import SettingsLayer
from fast_rcnn.sample import by_class, sample_boxes


class ProposalTargetLayer(SettingsLayer):
    """Draw a sample of the proposals and the true boxes, and say what each of them shows.

    Boxes that overlap a true box by FG_THRESH have its label, BATCH_SIZE * FG_FRACTION of them at most; the others are
    background, drawn from those with an overlap from BG_THRESH_LO to BG_THRESH_HI, and have the label 0. Offsets lead
    to the true box, less BBOX_NORMALIZE_MEANS, divided by BBOX_NORMALIZE_STDS, in the four columns of the label.

    Bottoms: proposals (R, 5) of [0, x1, y1, x2, y2]; true boxes (G, 5) of [x1, y1, x2, y2, label]
    Tops: boxes (S, 5) of [0, x1, y1, x2, y2]; labels (S, 1, 1, 1), as nets of R-FCN want them; offsets (S, 4 C); inside
    weights, BBOX_INSIDE_WEIGHTS in the columns of the label, elsewhere 0; outside weights, 1 where these are above 0
    param_str: num_classes C, with the background
    Paper: Ren et al., Faster R-CNN, NIPS 2015; Girshick, Fast R-CNN, ICCV 2015, section 2.3.
    Quirks: which boxes are drawn depends on the net's random seed and the step. BG_THRESH_LO is 0 here. The gradient
    is 0.
    """

    num_bottoms, num_tops = 2, 5
    needs = {"num_classes": None}
    instead = {"BG_THRESH_LO": 0.0}

    def setup(self, bottom, top):
        super().setup(bottom, top)
        if self.settings.num_classes < 2:
            raise NetError(self.where, expected="num_classes of at least 2", got=self.settings.num_classes)

    def reshape(self, bottom, top):
        columns = 4 * self.settings.num_classes
        for blob, shape in zip(top, ((1, 5), (1, 1, 1, 1), (1, columns), (1, columns), (1, columns))):
            blob.reshape(shape)

    def forward(self, bottom, top):
        settings = self.settings
        rows, truth = (self.values(blob, 2, 5, what) for blob, what in zip(bottom, ("proposals", "true boxes")))
        if rows[:, 0].any():
            raise DataError(self.where, expected="proposals of one image", got=f"image {rows[:, 0].max():g}")
        if ((truth[:, 4] < 1) | (truth[:, 4] >= settings.num_classes)).any():
            raise DataError(self.where, expected=f"labels from 1 to {settings.num_classes - 1}", got=truth[:, 4])
        boxes = np.concatenate([rows[:, 1:], truth[:, :4]])
        numbers, labels, t = sample_boxes(boxes, truth, settings.BATCH_SIZE, settings, self.draws())
        t, inside = by_class(labels, t, settings.num_classes, settings.BBOX_INSIDE_WEIGHTS)
        self.write(top, np.pad(boxes[numbers], ((0, 0), (1, 0))), labels[:, None, None, None], t, inside, inside > 0)
