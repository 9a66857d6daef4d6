"""Second exercise to lesson 11: the loss of triplets.

Every `...` is a blank that stands for one expression; the comment above it says what is wanted. Fill them in, and let

    blobnet grade examples/course/exercises/11_triplet_loss.py

compare forward with TripletLoss's, and backward with central differences. examples/course/solutions has the same
file without blanks.
"""

import numpy as np

from blobnet import LossLayer, register
from blobnet.check.exercise import Exercise

EXERCISE = Exercise(
    layer="""layer { name: "loss" type: "MyTripletLoss" bottom: "a" bottom: "p" bottom: "q" top: "loss"
        loss_weight: 0.5 triplet_loss_param { margin: 2 } }""",
    bottoms=[(6, 3), (6, 3), (6, 3)], same_as="TripletLoss")


@register
class MyTripletLoss(LossLayer):
    """The positive must be nearer to the anchor than the negative by a margin.

    h_n = max(0, m + ||a_n - p_n||^2 - ||a_n - q_n||^2),   loss = 1/(2 N) * sum_n h_n

    da_n = weight/N * (q_n - p_n),   dp_n = weight/N * (p_n - a_n),   dq_n = weight/N * (a_n - q_n)
    where h_n > 0, else 0

    Bottoms: anchors a (N, C), positives p, negatives q (as a)    Tops: loss ()    Params: none
    Options: triplet_loss_param.margin m (1)
    Paper: Schroff et al., FaceNet: A Unified Embedding for Face Recognition and Clustering, CVPR 2015, equation 3.
    Quirks: half of the mean; runs on the CPU only.
    """

    options_field = "triplet_loss_param"
    num_bottoms = 3
    unforced_bottoms = ()

    def forward(self, bottom, top):
        a, p, q = (blob.data for blob in bottom)
        near, far = ((a - p) ** 2).sum(axis=1), ((a - q) ** 2).sum(axis=1)
        # (N,): the h of each triplet.
        self.costs = ...
        # The loss, one number.
        loss = ...
        top[0].data[()] = loss

    def backward(self, top, propagate_down, bottom):
        a, p, q = (blob.data for blob in bottom)
        scale = self.weight(top) / len(a) * (self.costs > 0)[:, None]  # (N, 1): weight/N, and 0 for triplets at rest
        # (N, C) each.
        da = ...
        dp = ...
        dq = ...
        for wanted, blob, gradient in zip(propagate_down, bottom, (da, dp, dq)):
            if wanted:
                blob.diff[:] = gradient
