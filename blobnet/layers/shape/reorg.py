"""Places as channels."""

from __future__ import annotations

from blobnet.core.moving_layer import MovingLayer
from blobnet.core.registry import register
from blobnet.errors import NetError, ShapeError


@register
class Reorg(MovingLayer):
    """Turn neighbouring places into channels, so that a large map fits to a small one; or the other way round.

    With s the stride, C' = C / s^2 and c' < C', i, j < s, the numbers of a row counted through in
        x as (C, H, W)   and   z as (C', s H, s W):
    z[c', s h + i, s w + j] = x[(s i + j) C' + c', h, w] if reverse, and y = z
    y[(s i + j) C' + c', h, w] = x[c', s h + i, s w + j] if not, where it is x that is counted through as z is,
        and y = those numbers counted through as (s^2 C, H / s, W / s)
    dx = dy, moved back

    Bottoms: x (N, C, H, W)    Tops: y (N, s^2 C, H / s, W / s), with reverse (N, C / s^2, s H, s W)    Params: none
    Options: stride s (must be given); reverse (false)
    Paper: Redmon and Farhadi, YOLO9000: Better, Faster, Stronger, CVPR 2017 (there the "passthrough layer").
    Quirks: without reverse the numbers are counted through as if x had s^2 times fewer channels and larger maps, as in
    the program of the paper, so channels are mixed in a way of its own and C has to be a multiple of s^2. The published
    code for CPUs gives no gradient (always 0); here it is the derivative.
    """

    options_field = "reorg_param"
    passes_labels = True
    key_options = {"stride": "stride"}

    def setup(self, bottom, top):
        if self.options.stride < 1:
            given = self.options.stride if self.options.HasField("stride") else "none"
            raise NetError(self.where, expected="stride of at least 1", got=given)

    def reshape(self, bottom, top):
        shape, s = bottom[0].shape, self.options.stride
        if len(shape) != 4:
            raise ShapeError(self.where, expected="4 axes (N, C, H, W)", got=shape)
        n, c, h, w = shape
        if c % s ** 2:
            raise ShapeError(self.where, expected=f"channels in multiples of {s ** 2}, the stride squared", got=shape)
        if not self.options.reverse and (h % s or w % s):
            raise ShapeError(self.where, expected=f"height and width in multiples of the stride {s}", got=shape)
        self.places = n, c // s ** 2, h, s, w, s
        self.channels = n, s, s, c // s ** 2, h, w
        top[0].reshape((n, c // s ** 2, h * s, w * s) if self.options.reverse else (n, c * s ** 2, h // s, w // s))

    def forward(self, bottom, top):
        self.move(bottom[0].data, top[0].data, self.options.reverse)

    def backward(self, top, propagate_down, bottom):
        if propagate_down[0]:
            self.move(top[0].diff, bottom[0].diff, not self.options.reverse)

    def move(self, source, target, reverse: bool) -> None:
        """Write the numbers of `source` into `target`, from places to channels or the other way round."""
        if reverse:
            target.reshape(self.places)[...] = source.reshape(self.channels).transpose(0, 3, 4, 1, 5, 2)
        else:
            target.reshape(self.channels)[...] = source.reshape(self.places).transpose(0, 3, 5, 1, 2, 4)
