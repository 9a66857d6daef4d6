"""First exercise to lesson 11: the contrastive loss of pairs.

Every `...` is a blank that stands for one expression; the comment above it says what is wanted. Fill them in, and let

    blobnet grade examples/course/exercises/11_contrastive_loss.py

compare forward with ContrastiveLoss's, and backward with central differences. examples/course/solutions has the same
file without blanks.
"""

import numpy as np

from blobnet import LossLayer, register
from blobnet.check.exercise import Exercise

A = np.array([[0.0, 0.0, 0.0], [1.0, 2.0, -1.0], [0.5, -0.5, 2.0], [3.0, 0.0, 1.0], [-1.0, 1.0, 0.5]])
B = np.array([[1.0, -2.0, 1.5], [2.0, 0.5, 1.0], [-1.0, 1.0, 0.5], [-2.0, 3.0, -3.0], [2.0, -1.0, 1.5]])
EXERCISE = Exercise(
    layer="""layer { name: "loss" type: "MyContrastiveLoss" bottom: "a" bottom: "b" bottom: "alike" top: "loss"
        loss_weight: 0.5 contrastive_loss_param { margin: 4 } }""",
    bottoms=[A, B, np.array([1, 1, 0, 0, 0])], same_as="ContrastiveLoss")  # the fourth pair is beyond the margin


@register
class MyContrastiveLoss(LossLayer):
    """Similar pairs should be near each other, others a margin apart.

    d_n = ||a_n - b_n||,   loss = 1/(2 N) * sum_n [ d_n^2 if y_n != 0, else max(0, m - d_n)^2 ]

    da_n = weight/N * c_n * (a_n - b_n),   db_n = -da_n,
    c_n = 1 if y_n != 0, -(m - d_n) / (d_n + 0.0001) if y_n = 0 and d_n < m, else 0

    Bottoms: a (N, C), b (N, C); similarity y (N,), 0 for unlike pairs    Tops: loss ()    Params: none
    Options: contrastive_loss_param.margin m (1)
    Paper: Hadsell, Chopra and LeCun, Dimensionality Reduction by Learning an Invariant Mapping, CVPR 2006.
    Quirks: the 0.0001 keeps the gradient finite where a = b, and makes it slightly smaller than the derivative. Runs on
    the CPU only.
    """

    options_field = "contrastive_loss_param"
    num_bottoms = 3
    unforced_bottoms = (2,)  # a similarity gets no gradient

    def forward(self, bottom, top):
        a, b, alike = bottom[0].data, bottom[1].data, bottom[2].data != 0
        self.difference = a - b
        # (N,): the distances d.
        self.distances = ...
        # (N,): how much each pair lacks of the margin, and 0 for pairs that are farther apart than that.
        self.gaps = ...
        # (N,): what each pair costs; np.where(alike, …, …) chooses.
        costs = ...
        top[0].data[()] = costs.sum() / (2 * len(costs))

    def backward(self, top, propagate_down, bottom):
        alike = bottom[2].data != 0
        # (N,): the c of each pair.
        slopes = ...
        # (N, C): da; self.weight(top) is the loss weight.
        da = ...
        for sign, wanted, blob in zip((1, -1), propagate_down, bottom):
            if wanted:
                blob.diff[:] = sign * da
