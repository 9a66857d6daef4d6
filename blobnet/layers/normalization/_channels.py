"""What the BN layers of the forks share: statistics and parameters of channels, a slope and a bias of each."""

from __future__ import annotations

from blobnet.backend import folded
from blobnet.core.layer import Layer
from blobnet.errors import NetError, ShapeError
from blobnet.ops.linear import add_sums, sums

SEGNET = ("scale_filler", "shift_filler", "bn_mode")
PSPNET = ("slope_filler", "bias_filler", "momentum", "eps", "frozen", "engine")
PSPNET_PARAMS = 4


def has(options, fields) -> bool:
    """Whether one of these fields is given."""
    return any(options.HasField(field) for field in fields)


class Channels(Layer):
    """The common part of SegNetBN and PSPNetBN. A subclass says in `setup` whether it takes statistics of the batch.

    `grouped` is the shape (N, C, places) of x; `shape` is that of a parameter, (1, C, 1, 1).
    """

    foreign: tuple[str, ...] = ()  # options of the other layer
    takes_statistics = False
    options_field = "bn_param"
    param_names: tuple[str, ...] = ("weight", "bias")
    in_place = keeps_coordinates = True

    def setup(self, bottom, top):
        shape = bottom[0].shape
        if not 2 <= len(shape) <= 4:
            raise ShapeError(self.where, expected="2 to 4 axes (N, C, H, W)", got=shape)
        self.channels = shape[1]
        self.shape = (1, self.channels, 1, 1)
        foreign = [field for field in self.foreign if self.options.HasField(field)]
        if foreign:
            raise NetError(self.where, expected=f"bn_param with the fields of {type(self).__name__}",
                           got=f"{' and '.join(foreign)}, of the other layer called BN", hint="leave them out")

    def reshape(self, bottom, top):
        shape = bottom[0].shape
        if shape[1:2] != (self.channels,):
            expected = f"{self.channels} channels on axis 1, as the parameters have"
            raise ShapeError(self.where, expected=expected, got=shape)
        self.grouped = folded(shape, 1, 2)
        top[0].reshape(shape)
        if self.takes_statistics and not bottom[0].count:
            raise ShapeError(self.where, expected="at least one value to take the statistics of", got=shape)
        self.mean, self.variance, self.deviation = (self.xp.empty(self.channels, self.dtype) for _ in range(3))

    def parameter_gradients(self, dy, x) -> None:
        """The gradients of slope and bias, where y = slope * x + bias."""
        for i, times in enumerate((x, None)):
            if self.param_propagate_down[i]:
                diff = self.param_diff(i).reshape(-1)
                if self.overwrites:
                    diff[...] = sums(dy, times)
                else:
                    add_sums(dy, times, diff)
