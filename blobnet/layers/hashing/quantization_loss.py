"""The quantization loss of deep hashing networks."""

from __future__ import annotations

import numpy as np

from blobnet.core.registry import register
from blobnet.errors import NetError
from blobnet.layers.hashing._base import CodeLoss
from blobnet.ops.quantization import binary_costs, log_cosh_slopes, power_costs, power_slopes


@register
class QuantizationLoss(CodeLoss):
    """Every element of a code should be near -1 or +1, by a smooth measure of distance.

    loss = 1/(N K) * sum_nk log cosh(|u_nk| - 1),   du = weight/(N K) * tanh(|u| - 1) sign(u)

    Where g = |u| - 1 > threshold > 0:   | g - log 2 |,   du = weight/(N K) * sign(u)
    With a power p:   |g|^p in the place of log cosh g,   du = weight/(N K) * p |g|^(p - 1) sign(g) sign(u)

    Bottoms: codes u (N, K)    Tops: loss ()    Params: none
    Options: quantization_param.threshold (-1: none); power p (0: log cosh), else above 1
    Paper: Zhu et al., Deep Hashing Network for Efficient Similarity Retrieval, AAAI 2016, section on quantization;
    their lambda is the loss_weight. The threshold: the authors' code of Cao et al., Transfer Adversarial Hashing for
    Hamming Space Retrieval, AAAI 2018. The power: Su et al., Greedy Hash, NeurIPS 2018, where it is 3 and the loss is
    of the numbers before their sign is taken.
    Quirks: the papers have the sum; here and in the authors' code it is the mean over all elements. sign(0) counts as
    1. The loss jumps at the threshold; the larger the threshold, the smaller the jump. With a threshold below log 2,
    the slope from there to log 2 has the wrong sign.
    """

    options_field = "quantization_param"

    def setup(self, bottom, top):
        if self.options.power and not self.options.power > 1:
            raise NetError(self.where, expected="power above 1, or 0 for log cosh", got=f"{self.options.power:g}")
        if self.options.power and self.options.threshold > 0:
            raise NetError(self.where, "power and threshold exclude each other", hint="keep one of them")

    def formula(self, u):
        g, threshold = abs(u) - 1, self.options.threshold
        if self.options.power:
            return (abs(g) ** self.options.power).mean()
        return np.where((g > threshold) & (threshold > 0), abs(g - np.log(2)), np.log(np.cosh(g))).mean()

    def forward(self, bottom, top):
        u, power = self.codes(bottom[0].data), self.options.power
        costs = power_costs(u, power) if power else binary_costs(u, self.options.threshold)
        top[0].data[...] = costs.sum() / max(1, costs.size)

    def backward(self, top, propagate_down, bottom):
        if propagate_down[0]:
            u, power = self.codes(bottom[0].data), self.options.power
            slopes = power_slopes(u, power) if power else log_cosh_slopes(u, self.options.threshold)
            self.xp.multiply(slopes, self.weight(top) / max(1, slopes.size), out=self.codes(bottom[0].diff))
