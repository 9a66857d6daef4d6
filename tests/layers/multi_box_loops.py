"""The loss of SSD in loops over priors, boxes and classes, to compare MultiBoxLoss with."""

import math

import numpy as np

from blobnet.check.standalone import read_layer


def multi_box_loss(source):
    """The loss as a function of offsets, scores, priors and truth, with the options of the prototxt `source`."""
    param = read_layer(source)
    return lambda *bottoms: _Loss(param, *bottoms).value()


def overlap(a, b):
    width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0
    sizes = [(c[2] - c[0]) * (c[3] - c[1]) for c in (a, b)]
    return width * height / (sum(sizes) - width * height)


class _Loss:
    def __init__(self, param, offsets, scores, priors, truth):
        self.param, self.o = param, param.multibox_loss_param
        self.boxes, self.variances = priors[0].reshape(2, -1, 4)
        self.N, self.P, self.C = len(offsets), len(self.boxes), self.o.num_classes
        self.slots = [0] if self.o.share_location else [c for c in range(self.C) if c != self.o.background_label_id]
        self.offsets = offsets.reshape(self.N, self.P, -1, 4)
        self.x = scores.reshape(self.N, self.P, self.C)
        self.truth = [[row for row in truth.reshape(-1, 8) if row[0] == n and (self.o.use_difficult_gt or not row[7])]
                      for n in range(self.N)]

    def value(self):
        o, found = self.o, []  # found: (image, slot, prior, true box)
        negatives = []
        for n in range(self.N):
            own, overlaps = self.matches(n)
            if o.mining_type != o.NONE and self.truth[n]:
                own, negative = self.mined(n, own, overlaps)
                negatives += negative
            found += own
        offsets = sum(sum(self.misses(match)) for match in found)
        scores = self.scores(found, negatives)
        modes = self.param.loss_param
        mode = modes.normalization
        if modes.HasField("normalize") and not modes.HasField("normalization"):
            mode = modes.VALID if modes.normalize else modes.BATCH_SIZE
        divisor = max(1, {modes.VALID: len(found), modes.FULL: self.N * self.P, modes.BATCH_SIZE: self.N,
                          modes.NONE: 1}[mode])
        parts = list(self.param.propagate_down) or [True, True]
        return (o.loc_weight * offsets * parts[0] + scores * parts[1]) / divisor

    def place(self, n, slot, prior):
        """The box that the net predicts."""
        box, d = self.boxes[prior], self.offsets[n, prior, slot].copy()
        if not self.o.encode_variance_in_target:
            d *= self.variances[prior]
        w, h = box[2] - box[0], box[3] - box[1]
        if self.o.code_type == self.o.CORNER:
            return box + d
        if self.o.code_type == self.o.CORNER_SIZE:
            return box + d * [w, h, w, h]
        x, y = (box[0] + box[2]) / 2 + d[0] * w, (box[1] + box[3]) / 2 + d[1] * h
        w, h = w * math.exp(d[2]), h * math.exp(d[3])
        return np.array([x - w / 2, y - h / 2, x + w / 2, y + h / 2])

    def rival(self, n, slot, prior):
        return self.boxes[prior] if self.o.use_prior_for_matching else self.place(n, slot, prior)

    def matches(self, n):
        """The matches of an image, and the largest overlap of every prior, None where the image's border crosses it."""
        o, found, most = self.o, [], [0.0] * self.P
        for slot in self.slots:
            truth = [row for row in self.truth[n]
                     if o.share_location or o.use_prior_for_matching or row[1] == slot]
            shares = {}
            for p in range(self.P):
                box = self.rival(n, slot, p)
                if o.ignore_cross_boundary_bbox and not all(0 <= side <= 1 for side in box):
                    most[p] = None
                    continue
                for g, row in enumerate(truth):
                    shares[p, g] = overlap(box, row[3:7])
                    most[p] = max(most[p], shares[p, g])
            pairs = {}
            left = {pair: share for pair, share in shares.items() if share > 1e-6}
            while left:
                p, g = max(left, key=left.get)
                pairs[p] = g
                left = {pair: share for pair, share in left.items() if pair[0] != p and pair[1] != g}
            for p in range(self.P) if o.match_type == o.PER_PREDICTION and truth and most.count(None) < self.P else ():
                g = max(range(len(truth)), key=lambda g: shares.get((p, g), -1))
                if p not in pairs and shares.get((p, g), -1) >= o.overlap_threshold:
                    pairs[p] = g
            found += [(n, slot, p, truth[g]) for p, g in sorted(pairs.items())
                      if o.share_location or truth[g][1] == slot]
        return found, most

    def misses(self, match):
        n, slot, p, row = match
        o, box, goal, v = self.o, self.boxes[p], row[3:7], self.variances[p]
        w, h = box[2] - box[0], box[3] - box[1]
        if o.code_type == o.CENTER_SIZE:
            x, y = (goal[:2] + goal[2:] - box[:2] - box[2:]) / 2
            want = [x / w, y / h, math.log((goal[2] - goal[0]) / w), math.log((goal[3] - goal[1]) / h)]
        else:
            want = (goal - box) / (1 if o.code_type == o.CORNER else np.array([w, h, w, h]))
        for i in range(4):
            d = self.offsets[n, p, slot, i] - want[i] / v[i]
            if o.encode_variance_in_target:
                d = (self.offsets[n, p, slot, i] - want[i]) / v[i]
            if o.bp_inside and not 0 <= self.rival(n, slot, p)[i] <= 1:
                d = 0
            yield d * d / 2 if o.loc_loss_type == o.L2 or abs(d) < 1 else abs(d) - 0.5

    def label(self, match):
        return self.o.background_label_id + 1 if self.o.map_object_to_agnostic else int(match[3][1])

    def cost(self, x, t):
        if self.o.conf_loss_type == self.o.SOFTMAX:
            return -x[list(t).index(1)] + math.log(sum(math.exp(score) for score in x))
        return sum(math.log(1 + math.exp(score)) - aim * score for score, aim in zip(x, t))

    def mined(self, n, found, most):
        o, matched = self.o, {match[2]: match for match in found}
        costs = []
        for p in range(self.P):
            label = self.label(matched[p]) if p in matched else o.background_label_id
            costs.append(self.cost(self.x[n, p], [int(c == label) for c in range(self.C)]))
            if o.mining_type == o.HARD_EXAMPLE and p in matched:
                costs[p] += sum(self.misses(matched[p]))
        if o.mining_type == o.HARD_EXAMPLE:
            able, count = range(self.P), o.sample_size
        else:
            able = [p for p in range(self.P) if p not in matched and most[p] is not None and most[p] < o.neg_overlap]
            count = int(len(found) * o.neg_pos_ratio)
        order = sorted(able, key=lambda p: -costs[p])
        if o.HasField("nms_param") and o.nms_param.nms_threshold > 0:
            boxes = [self.boxes[p] if o.use_prior_for_nms else self.place(n, 0, p) for p in range(self.P)]
            kept = []
            for p in order[:o.nms_param.top_k]:
                box = boxes[p]
                if (box[2] - box[0]) * (box[3] - box[1]) >= 1e-5 and all(
                        overlap(box, boxes[q]) <= o.nms_param.nms_threshold for q in kept):
                    kept.append(p)
            order = kept
        chosen = order[:count]
        if o.mining_type == o.HARD_EXAMPLE:
            found = [match for match in found if match[2] in chosen]
        return found, [(n, p) for p in chosen if p not in matched and most[p] is not None]

    def scores(self, found, negatives):
        o, background = self.o, self.o.background_label_id
        rest = 0 if o.conf_loss_type == o.SOFTMAX else background
        if o.mining_type != o.NONE:
            labels = {(n, p): self.label((n, slot, p, row)) for n, slot, p, row in found}
            labels |= {place: background for place in negatives}
            return sum(self.cost(self.x[place], [1 if c == label else rest for c in range(self.C)])
                       for place, label in labels.items())
        t = np.full((self.N, self.P, self.C), rest)
        if o.conf_loss_type == o.SOFTMAX:
            t[..., background] = 1
        for match in found:
            n, _, p, _ = match
            if o.conf_loss_type == o.SOFTMAX:
                t[n, p] = 0
                t[n, p, self.label(match)] = 1
            else:
                t.reshape(-1)[n * self.P + p * self.C + self.label(match)] = 1
        return sum(self.cost(self.x[place], t[place]) for place in np.ndindex(self.N, self.P))
