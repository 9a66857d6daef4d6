"""SegAccuracy: how well maps of classes agree."""

from __future__ import annotations

import numpy as np

from blobnet.core.layer import Layer
from blobnet.core.registry import register
from blobnet.errors import ShapeError
from blobnet.ops.indices import numbers_below, tally


@register
class SegAccuracy(Layer):
    """Three shares of right pixels: of all, the mean over the classes, and the mean of intersection over union.

    M[i, j] = pixels of class i taken for j, the class with the highest score;   r_i = sum over j of M[i, j],
    c_j = sum over i of M[i, j]
    y = (sum of M[i, i] / sum of M,  mean of M[i, i] / r_i where r_i > 0,  mean of M[i, i] / (r_i + c_i - M[i, i]))

    Bottoms: x (N, C, H, W) scores; labels (N, 1, H, W), integers in 0 ... C-1
    Tops: y (1, 1, 1, 3)
    Params: none
    Options: ignore_label, any number of labels of pixels that do not count; reset (true), false adds up M over all
    forwards; metric is accepted, without effect
    Paper: none; the measures are those of Everingham et al., The Pascal visual object classes challenge, IJCV 2010.
    Quirks: of equal scores the highest class is taken. A class that is neither there nor taken counts as 1 in the mean
    of intersection over union, and is left out of the mean before it. Without any pixel the first two are 0. Has no
    backward; force_backward skips it.
    """

    options_field = "seg_accuracy_param"
    num_bottoms = 2
    unforced_bottoms = (0, 1)

    def setup(self, bottom, top):
        self.confusion = 0

    def reshape(self, bottom, top):
        shape = bottom[0].shape
        if len(shape) != 4 or bottom[1].shape != (shape[0], 1, *shape[2:]):
            raise ShapeError(self.where, expected="scores (N, C, H, W) and labels (N, 1, H, W)",
                             got=f"{shape} and {bottom[1].shape}")
        top[0].reshape((1, 1, 1, 3))
        self.ignored = self.xp.asarray([*self.options.ignore_label], self.dtype)

    def formula(self, x, labels):
        if not self.options.reset:
            return None  # it depends on the forwards before
        confusion = np.zeros((x.shape[1],) * 2)
        for (n, _, h, w), label in np.ndenumerate(labels.astype(int)):
            if label not in self.options.ignore_label:
                confusion[label, np.flatnonzero(x[n, :, h, w] == x[n, :, h, w].max())[-1]] += 1
        right, there, union = np.diag(confusion), confusion.sum(1), confusion.sum(0) + confusion.sum(1)
        recall = [right[i] / there[i] for i in np.flatnonzero(there)]
        overlap = [right[i] / (union[i] - right[i]) if union[i] else 1 for i in range(len(union))]
        shares = right.sum() / max(there.sum(), 1), np.mean(recall or [0]), np.mean(overlap)
        return np.reshape(shares, (1, 1, 1, 3))

    def forward(self, bottom, top):
        scores, values, classes, ignored = bottom[0].data, bottom[1].data, bottom[0].shape[1], None
        if self.options.ignore_label:
            ignored = self.options.ignore_label[0]
            values = self.xp.where(self.xp.isin(values, self.ignored), ignored, values)
        labels, counted = numbers_below(values, classes, self.where, self.param.bottom[1], ignored=ignored,
                                        hint="ignore_label names labels that do not count")
        taken = classes - 1 - scores[:, ::-1].argmax(axis=1)  # the last of equal scores
        counts = tally(labels[:, 0] * classes + taken, classes ** 2, counted[:, 0]).reshape(classes, classes)
        self.confusion = counts if self.options.reset else self.confusion + counts
        top[0].data[...] = self.xp.stack(self.shares(self.confusion)).reshape(1, 1, 1, 3)

    def shares(self, confusion):
        """The three numbers that M gives."""
        right, there, taken = confusion.diagonal(), confusion.sum(axis=1), confusion.sum(axis=0)
        union = there + taken - right
        recall = right / self.xp.maximum(there, 1)
        overlap = self.xp.where(union > 0, right / self.xp.maximum(union, 1), 1)
        return (right.sum() / self.xp.maximum(there.sum(), 1), recall.sum() / self.xp.maximum((there > 0).sum(), 1),
                overlap.mean())
