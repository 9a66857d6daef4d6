"""Exercise to lesson 12: the loss of deep supervised hashing.

Every `...` is a blank that stands for one expression; the comment above it says what is wanted. Fill them in, and let

    blobnet grade examples/course/exercises/12_hashing_loss.py

compare forward with HashingLoss's, and backward with central differences. examples/course/solutions has the same
file without blanks.
"""

import numpy as np

from blobnet import LossLayer, register
from blobnet.check.exercise import Exercise

EXERCISE = Exercise(
    layer="""layer { name: "loss" type: "MyHashingLoss" bottom: "codes" bottom: "label" top: "loss"
        loss_weight: 0.5 hashing_loss_param { bi_margin: 8 tradeoff: 0.1 } }""",
    bottoms=[1.2 * np.random.RandomState(0).normal(size=(6, 4)), np.array([0, 1, 0, 2, 1, 0])], same_as="HashingLoss")


@register
class MyHashingLoss(LossLayer):
    """Pull the codes of similar images together, push others apart, and pull every element towards -1 or +1.

    D_ij = ||u_i - u_j||^2 over all pairs i < j of the batch, s_ij = 1 if i and j have one label, else 0

    loss = 1/(N (N-1)) * sum_{i<j} [ s_ij D_ij + (1 - s_ij) max(m - D_ij, 0) ] + t/N * sum_ik | |u_ik| - 1 |

    du_i = weight/(N (N-1)) * sum_j c_ij (u_i - u_j) + weight * t/N * slope(u_i),
    c_ij = 1 if similar, -1 if not similar and D_ij < m, else 0;   slope(u) = +1 for -1 <= u <= 0 and u >= 1, else -1

    Bottoms: codes u (N, K); labels (N,), one class a row    Tops: loss ()    Params: none
    Options: hashing_loss_param.bi_margin m, tradeoff t (0.01), gradient
    Paper: Liu et al., Deep Supervised Hashing for Fast Image Retrieval, CVPR 2016, equations 4 and 5.
    Quirks: the pair term of the published gradient, shown above, is half the derivative. gradient: EXACT doubles it.
    Runs on the CPU only.
    """

    options_field = "hashing_loss_param"
    published_gradient = True  # so the check against differences asks for gradient: EXACT

    def forward(self, bottom, top):
        u, labels, num = bottom[0].data, bottom[1].data, len(bottom[0].data)
        self.alike = labels[:, None] == labels  # (N, N)
        # (N, N): the D of all pairs. u[:, None] - u has the shape (N, N, K).
        self.distances = ...
        # (N, N): what each pair costs, similar or not.
        costs = ...
        pairs = np.triu(costs, 1).sum() / (num * (num - 1))  # np.triu(…, 1): i < j only
        # The second term, one number: how far all elements are from -1 and +1.
        pull = ...
        top[0].data[()] = pairs + pull

    def backward(self, top, propagate_down, bottom):
        if not propagate_down[0]:
            return
        u, num = bottom[0].data, len(bottom[0].data)
        exact = self.options.gradient == self.options.EXACT
        # (N, N): the c of all pairs.
        signs = ...
        # (N, K): row i is the sum over j of c_ij (u_i - u_j).
        pairs = ...
        slopes = np.where((u >= 1) | ((u <= 0) & (u >= -1)), 1, -1)
        scale = (2 if exact else 1) / (num * (num - 1))
        bottom[0].diff[:] = self.weight(top) * (scale * pairs + self.options.tradeoff / num * slopes)
