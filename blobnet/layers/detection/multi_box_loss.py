"""The loss of SSD."""

from __future__ import annotations

import numpy as np

from blobnet.backend import to_host
from blobnet.core.loss_layer import LossLayer
from blobnet.core.registry import register
from blobnet.errors import NetError, ShapeError
from blobnet.layers.detection._costs import offset_costs, score_costs, targets
from blobnet.layers.detection._mining import check_options, find_matches, matches_of, mine, true_boxes
from blobnet.layers.detection._priors import PriorReader
from blobnet.ops.boxes import decode


@register
class MultiBoxLoss(PriorReader, LossLayer):
    """How badly offsets and scores fit the true boxes: of priors that match one, and of the hardest others.

    loss = 1/Z * ( loc_weight * sum_m sum_4 L(d_m) + sum_s cost(x_s, t_s) )

    d_m = offsets of a matched prior less those of its true box;  L = d^2/2 where |d| < 1, else |d| - 1/2 (SMOOTH_L1),
    or d^2/2 (L2);  x_s = scores of the matches and of the priors mined as background, t = 1 at the class, cost =
    -sum t log softmax(x) (SOFTMAX) or -sum [ t log p + (1 - t) log(1 - p) ], p = sigmoid(x) (LOGISTIC)

    d offsets = weight/Z * loc_weight * L'(d),   dx = weight/Z * (softmax(x) - t), or weight/Z * (p - t)

    Bottoms: offsets (N, 4PL) of P priors, of L = 1 box a prior, or C if not share_location; scores (N, PC); priors
    (1, 2, 4P), boxes and variances; truth (1, 1, G, 8), rows [image or -1, class, -, x1, y1, x2, y2, difficult]
    Tops: loss ()
    Params: none
    Options: num_classes C and all others of multibox_loss_param, which forks.proto describes; loss_param.normalization:
    Z is the number of matches (VALID, the default), N P (FULL), N (BATCH_SIZE) or 1 (NONE), at least 1; gradient
    Paper: Liu et al., SSD: Single Shot MultiBox Detector, ECCV 2016.
    Quirks: an image without true boxes adds no negatives. Without mining all priors are in the sum. With
    encode_variance_in_target d is divided by the variance, its gradient only with gradient: EXACT. LOGISTIC without
    mining puts the t = 1 of prior j of image n at place n P + j C + class of all scores, and none for the background;
    where background_label_id is not 0, t is that number instead of 0. nms_param without top_k chooses nothing. A part
    whose propagate_down is false in the prototxt is left out of the loss. Matching and mining run on the host, anew in
    every forward: Caffe forgets matches only in backward, so that the second forward of a test net counts the matches
    of the first. There, force_backward stops the program; here it skips priors and truth.
    """

    options_field = "multibox_loss_param"
    more_options = ("loss_param",)
    num_bottoms = 4
    unforced_bottoms = (2, 3)
    published_gradient = True

    def setup(self, bottom, top):
        super().setup(bottom, top)
        options, losses = self.options, self.param.loss_param
        check_options(options, self.classes, self.where)
        self.together = options.conf_loss_type == options.SOFTMAX
        self.mode = losses.normalization
        if losses.HasField("normalize") and not losses.HasField("normalization"):
            self.mode = losses.VALID if losses.normalize else losses.BATCH_SIZE
        if self.mode not in (losses.VALID, losses.FULL, losses.BATCH_SIZE, losses.NONE):
            raise NetError(self.where, expected="normalization VALID, FULL, BATCH_SIZE or NONE",
                           got=losses.NormalizationMode.Name(self.mode))

    def reshape(self, bottom, top):
        self.check_priors(bottom)
        if bottom[3].shape[-1:] != (8,) or bottom[3].shape[:2] != (1, 1):
            raise ShapeError(self.where, expected="truth of shape (1, 1, G, 8)", got=bottom[3].shape)
        top[0].reshape(())

    def forward(self, bottom, top):
        options, N, P, L, C = self.options, self.images, self.priors, self.boxes_a_prior, self.classes
        offsets, x = to_host(bottom[0].data).reshape(N, P, L, 4), bottom[1].data.reshape(-1, C)
        priors, variances = map(to_host, self.read_priors(bottom[2]))
        scale = np.ones_like(variances) if options.encode_variance_in_target else variances
        predicted = decode(offsets, priors[:, None], scale[:, None], self.code)
        places = np.broadcast_to(priors[:, None], predicted.shape) if options.use_prior_for_matching else predicted
        truth = true_boxes(to_host(bottom[3].data).reshape(-1, 8), N, options, self.where)
        found, most = find_matches(truth, places, options)
        chosen = matches_of(found, truth, offsets, priors, variances, places, options, self.where)
        costs, slopes = offset_costs(chosen.miss, options.loc_loss_type == options.SMOOTH_L1)
        rows, kept, classes = np.arange(N * P), np.full(len(costs), True), np.full(N * P, options.background_label_id)
        classes[chosen.image * P + chosen.prior] = chosen.label
        ones, rest = rows * C + classes, 0 if self.together else options.background_label_id
        if options.mining_type != options.NONE:
            hardness = to_host(score_costs(x, targets(ones, N * P, C, 0, x), self.together)[0]).reshape(N, P)
            if options.mining_type == options.HARD_EXAMPLE:
                hardness[chosen.image, chosen.prior] += costs.sum(axis=1)
            matches, negatives = mine(truth, found, most, hardness, priors, predicted, options)
            rows, kept = np.flatnonzero(matches | negatives), matches[chosen.image, chosen.prior]
            ones = np.arange(len(rows)) * C + classes[rows]
        elif not self.together:
            ones = chosen.image * P + chosen.prior * C + chosen.label
        self.rows = self.xp.asarray(rows)
        score, self.score_slopes = score_costs(x[self.rows], targets(ones, len(rows), C, rest, x), self.together)
        self.chosen = self.xp.asarray(((chosen.image * P + chosen.prior) * L + chosen.slot)[kept])
        self.slopes, self.scale = self.xp.asarray(slopes[kept]), self.xp.asarray(chosen.scale[kept])
        modes = self.param.loss_param
        Z = {modes.VALID: kept.sum(), modes.FULL: N * P, modes.BATCH_SIZE: N, modes.NONE: 1}
        self.divisor = max(float(Z[self.mode]), 1.0)
        wanted = list(self.param.propagate_down) or [True, True]
        loss = wanted[0] * options.loc_weight * float(costs[kept].sum()) + wanted[1] * score.sum()
        top[0].data[...] = loss / self.divisor

    def backward(self, top, propagate_down, bottom):
        self.refuse_targets(propagate_down)
        scale = self.weight(top) / self.divisor
        if propagate_down[0]:
            exact = self.scale if self.options.gradient == self.options.EXACT else 1
            bottom[0].diff[...] = 0
            bottom[0].diff.reshape(-1, 4)[self.chosen] = self.slopes / exact * (scale * self.options.loc_weight)
        if propagate_down[1]:
            bottom[1].diff[...] = 0
            bottom[1].diff.reshape(-1, self.classes)[self.rows] = self.score_slopes * scale
