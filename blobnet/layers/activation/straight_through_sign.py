"""The sign, which lets gradients through."""

from __future__ import annotations

from blobnet.core.registry import register
from blobnet.layers.activation._base import Elementwise
from blobnet.ops.elementwise import elementwise


@register
class StraightThroughSign(Elementwise):
    """Make every number -1 or +1, and hand its gradient down as if nothing had been done.

    y = +1 if x >= 0, else -1,   dx = dy

    Bottoms: x (any shape)    Tops: y (as x; may be x itself)    Params: none
    Options: published_gradient_param.gradient
    Paper: Su, Zhang, Han and Tian, Greedy Hash: Towards Fast Optimization for Accurate Hash Coding in CNN, NeurIPS
    2018: their hash coding layer.
    Quirks: the published gradient, shown above, is that of the identity by intention: the derivative of a step is 0,
    from which nothing learns. gradient: EXACT is this 0. The sign of 0 is +1, as a bit is 1 there; the authors' program
    has 0. Far from -1 and +1 the gradient is a poor guess, so the paper adds QuantizationLoss of x with power 3.
    """

    options_field = "published_gradient_param"
    published_gradient = True

    def scalar(self):
        return "where(x >= 0, 1, -1)", str(1 - self.exact())

    def exact(self) -> bool:
        """Whether backward is to be the derivative, 0, instead of what was published."""
        return self.options.gradient == self.options.EXACT

    def formula(self, x):
        return (x >= 0) * 2.0 - 1

    def forward(self, bottom, top):
        def part(x, y):
            y[...] = self.xp.where(x >= 0, 1, -1)

        elementwise(part, bottom[0].data, top[0].data)

    def backward(self, top, propagate_down, bottom):
        if propagate_down[0] and self.exact():
            bottom[0].diff.fill(0)
        elif propagate_down[0] and bottom[0].diff is not top[0].diff:
            bottom[0].diff[...] = top[0].diff
