"""Detections out of offsets, scores and priors."""

from __future__ import annotations

import numpy as np

from blobnet.backend import to_host
from blobnet.core.registry import register
from blobnet.errors import NetError
from blobnet.layers.detection._detections import ROW, write_detections
from blobnet.layers.detection._priors import PriorReader
from blobnet.ops.boxes import decode, suppress


@register
class DetectionOutput(PriorReader):
    """The boxes of all classes whose scores are high, without doubles.

    With the prior (p1, p2), the variances v and the offsets d of the corners:  box = (p1, p2) + v d   (CORNER),
    the same with d in widths and heights of the prior (CORNER_SIZE), or with its centre c and size s
    box = c + v d s -+ s exp(v d') / 2   (CENTER_SIZE; d of the centre, d' of the size).

    In each class but the background's, the boxes that score above the threshold are taken by falling score, and kept
    unless they overlap one that was kept by more than nms_threshold, in intersection / union.

    Bottoms: offsets (N, 4PL) of P priors, of L = 1 box a prior, or C if not share_location; scores (N, PC),
    probabilities; priors (1, 2, 4P), boxes and variances; optionally images, which are not read
    Tops: rows [image, class, score, x1, y1, x2, y2] (1, 1, K, 7), by image, then class, then falling score
    Params: none
    Options: num_classes C; share_location (true); background_label_id (0; -1: none); code_type (CORNER);
    variance_encoded_in_target (false; true: v is 1); confidence_threshold (none); nms_param: nms_threshold (0.3),
    top_k boxes a class before suppression (all), eta (1), with which the threshold is multiplied after every box kept
    while it is above 0.5; keep_top_k detections an image after it (all)
    Paper: Liu et al., SSD: Single Shot MultiBox Detector, ECCV 2016.
    Quirks: K is known only after forward. If nothing is found in any image, there are N rows [image, -1, -1, ...].
    Boxes are not clipped to the image. Suppression runs on the host. save_output_param and visualize, which write files
    and open windows there, have no effect here. Has no backward; force_backward skips it.
    """

    options_field = "detection_output_param"
    num_bottoms = (3, 4)
    unforced_bottoms = (0, 1, 2, 3)

    def setup(self, bottom, top):
        super().setup(bottom, top)
        rules = self.options.nms_param
        if not rules.nms_threshold >= 0:
            raise NetError(self.where, expected="nms_threshold of at least 0", got=rules.nms_threshold)
        if not 0 < rules.eta <= 1:
            raise NetError(self.where, expected="eta in (0, 1]", got=rules.eta)
        self.least = (self.options.confidence_threshold if self.options.HasField("confidence_threshold")
                      else -float(np.finfo("float32").max))
        self.top_k = rules.top_k if rules.HasField("top_k") else -1

    def reshape(self, bottom, top):
        self.check_priors(bottom)
        top[0].reshape((1, 1, 1, ROW))  # until forward knows the number of rows

    def formula(self, offsets, scores, priors, images=None):
        options, rules, rows = self.options, self.options.nms_param, []
        prior, v = priors[0].reshape(2, -1, 4)
        v = 1 if options.variance_encoded_in_target else v
        scores = scores.reshape(len(scores), -1, self.classes)
        s, c = np.tile(prior[:, 2:] - prior[:, :2], 2), (prior[:, 2:] + prior[:, :2]) / 2

        def place(d):
            if self.code != "CENTER_SIZE":
                return prior + v * d * (1 if self.code == "CORNER" else s)
            moved, half = c + (v * d * s)[:, :2], (np.exp(v * d) * s)[:, 2:] / 2
            return np.hstack([moved - half, moved + half])

        def overlap(a, b):
            w, h = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
            size = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (a, b))
            return w * h / (size - w * h) if w > 0 and h > 0 else 0

        for n, d in enumerate(offsets.reshape(len(scores), len(prior), -1, 4)):
            found = []
            for k in set(range(self.classes)) - {options.background_label_id}:
                boxes, score, kept, limit = place(d[:, k % d.shape[1]]), scores[n, :, k], [], rules.nms_threshold
                best = sorted((p for p in range(len(prior)) if score[p] > self.least), key=lambda p: -score[p])
                for p in best[:self.top_k if self.top_k >= 0 else None]:
                    if all(overlap(boxes[p], boxes[q]) <= limit for q in kept):
                        kept.append(p)
                        limit *= rules.eta if limit > 0.5 else 1
                found += [(n, k, score[p], *boxes[p]) for p in kept]
            found.sort(key=lambda row: -row[2])
            rows += sorted(found[:options.keep_top_k if options.keep_top_k >= 0 else None], key=lambda row: row[1])
        return np.array(rows or [[n] + [-1] * 6 for n in range(len(scores))])

    def forward(self, bottom, top):
        offsets = bottom[0].data.reshape(self.images, self.priors, self.boxes_a_prior, 4)
        priors, variances = self.read_priors(bottom[2])
        if self.options.variance_encoded_in_target:
            variances = self.xp.ones_like(variances)
        boxes = to_host(decode(offsets, priors[:, None], variances[:, None], self.code))
        scores = to_host(bottom[1].data).reshape(self.images, self.priors, self.classes)
        rows = [self.detections(n, boxes[n], scores[n]) for n in range(self.images)]
        write_detections(rows, top[0])

    def detections(self, image: int, boxes: np.ndarray, scores: np.ndarray) -> np.ndarray:
        """The rows (K, 7) of an image with boxes (P, L, 4) and scores (P, C)."""
        rules, rows = self.options.nms_param, [np.empty((0, ROW), self.dtype)]
        for label in range(self.classes):
            if label != self.options.background_label_id:
                high = np.flatnonzero(scores[:, label] > self.least)
                own, score = boxes[high, label % self.boxes_a_prior], scores[high, label]
                kept = suppress(own, score, rules.nms_threshold, rules.eta, self.top_k)
                where = np.broadcast_to(np.array([image, label], self.dtype), (len(kept), 2))
                rows.append(np.hstack([where, score[kept, None], own[kept]]))
        found = np.concatenate(rows)
        if 0 <= self.options.keep_top_k < len(found):
            found = found[np.argsort(-found[:, 2], kind="stable")[:self.options.keep_top_k]]
            found = found[np.argsort(found[:, 1], kind="stable")]
        return found
