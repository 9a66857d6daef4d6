"""What weighted layers share: how kernels slide over the spatial axes, and how a blob spreads along some axes of x."""

from __future__ import annotations

from math import gcd, prod
from typing import NamedTuple

from google.protobuf.message import Message

from blobnet.backend import folded
from blobnet.core.layer import Layer
from blobnet.errors import NetError, ShapeError
from blobnet.ops.convolution import Convolution


class Sliding(NamedTuple):
    """How a kernel slides: one number for each spatial axis."""

    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    pad: tuple[int, ...]
    dilation: tuple[int, ...]

    def words(self) -> str:
        """As errors say it: "a kernel of 3 x 3, stride 1, pad 0"."""
        parts = [f"a kernel of {_by(self.kernel)}"]
        for name in ("stride", "pad", "dilation"):
            values = getattr(self, name)
            if name != "dilation" or set(values) != {1}:
                parts.append(f"{name} {_by(values if len(set(values)) > 1 else values[:1])}")
        return ", ".join(parts)


def _by(values: tuple[int, ...]) -> str:
    return " x ".join(map(str, values))


def sliding(options: Message, num_spatial: int, where: str) -> Sliding:
    """Read a ConvolutionParameter for `num_spatial` axes: one value for all, one for each, or the _h and _w fields."""
    return Sliding(_sizes(options, "kernel", "kernel_size", num_spatial, where, least=1),
                   _sizes(options, "stride", "stride", num_spatial, where, least=1, default=1),
                   _sizes(options, "pad", "pad", num_spatial, where, default=0),
                   _sizes(options, None, "dilation", num_spatial, where, least=1, default=1))


def _sizes(options, prefix, field, count, where, least=0, default=None) -> tuple[int, ...]:
    values = tuple(getattr(options, field))
    pair = [prefix and options.HasField(f"{prefix}_{axis}") for axis in "hw"]
    if any(pair):
        if values:
            raise NetError(where, expected=f"either {field} or {prefix}_h and {prefix}_w", got="both")
        if count != 2:
            expected = f"2 spatial axes for {prefix}_h and {prefix}_w"
            raise NetError(where, expected=expected, got=count, hint=f"write {field}")
        if least > 0 and not all(pair):  # an absent one counts as 0
            raise NetError(where, expected=f"both {prefix}_h and {prefix}_w", got="one of them")
        values = tuple(getattr(options, f"{prefix}_{axis}") if given else default for axis, given in zip("hw", pair))
    if not values and default is not None:
        values = (default,)
    if len(values) not in (1, count):
        raise NetError(where, expected=f"{field} once or {count} times (the spatial axes)", got=f"{len(values)} times",
                       hint="" if values else f"write convolution_param {{ {field}: 3 }} for {_by((3,) * count)}")
    values = values * count if len(values) == 1 else values
    if any(value < least for value in values):
        raise NetError(where, expected=f"{field} at least {least}", got=values)
    return values


class SlidingLayer(Layer):
    """The common part of Convolution and its transpose: every bottom has its top, and all share the parameters.

    A subclass sets `transposed` and writes forward and backward on `self.plan`, the Convolution of ops, which in a
    transposed layer leads from the top back to the bottom.
    """

    options_field = "convolution_param"
    num_bottoms = num_tops = (1, None)
    same_bottoms_tops = True
    transposed = False

    def setup(self, bottom, top):
        options = self.options
        self.axis = bottom[0].canonical_axis(options.axis, self.where)
        self.sliding = sliding(options, bottom[0].num_axes - self.axis - 1, self.where)
        self.channels, self.outputs = bottom[0].shape[self.axis], options.num_output
        if not options.num_output:
            raise NetError(self.where, expected="num_output above 0", got=options.num_output,
                           hint="write num_output, the channels of the top, in convolution_param")
        for name, number in (("the channels of the bottom", self.channels), ("num_output", self.outputs)):
            if options.group < 1 or number % options.group:
                common = gcd(self.channels, self.outputs)
                fit = ", ".join(str(group) for group in range(1, common + 1) if common % group == 0)
                raise NetError(self.where, expected=f"group to divide {name} ({number})", got=f"group {options.group}",
                               hint=f"write a group that divides channels and num_output: {fit}")
        first, second = (self.channels, self.outputs) if self.transposed else (self.outputs, self.channels)
        self.add_param((first, second // options.group, *self.sliding.kernel), options.weight_filler)
        if options.bias_term:
            self.add_param((self.outputs,), options.bias_filler)

    def reshape(self, bottom, top):
        shape = bottom[0].shape
        for other in bottom[1:]:
            if other.shape != shape:
                raise ShapeError(self.where, expected=f"all bottoms of one shape {shape}", got=other.shape)
        lead, spatial = shape[:self.axis], shape[self.axis + 1:]
        if len(spatial) != len(self.sliding.kernel) or shape[self.axis:self.axis + 1] != (self.channels,):
            expected = f"{self.channels} channels on axis {self.axis}, then {len(self.sliding.kernel)} spatial axes"
            raise ShapeError(self.where, expected=expected, got=shape, hint="the weights have that shape")
        sizes, num = self.output_sizes(spatial), prod(lead)
        if any(size < 1 for size in sizes):
            raise ShapeError(self.where, expected="spatial axes that the kernel fits into",
                             got=f"{spatial} under {self.sliding.words()}", hint="lower kernel_size or raise pad")
        self.bottom_shape, self.top_shape = (num, self.channels, *spatial), (num, self.outputs, *sizes)
        source, target = (self.top_shape, self.channels) if self.transposed else (self.bottom_shape, self.outputs)
        self.plan = Convolution(self.xp, self.dtype, source, target, *self.sliding, groups=self.options.group)
        for blob in top:
            blob.reshape((*lead, self.outputs, *sizes))

    @property
    def bias(self):
        return self.param_data(1) if self.options.bias_term else None

    def learns_bias(self) -> bool:
        return self.options.bias_term and self.param_propagate_down[1]


class AlongAxes(Layer):
    """The common part of Bias and Scale: x meets a second blob, a bottom or a parameter, that has some axes of x.

    `grouped` is the shape (outer, count, inner) of x seen from the axes that the second blob has. A subclass writes
    setup, forward and backward.
    """

    num_bottoms = (1, 2)
    in_place = True

    def learned_shape(self, x) -> tuple[int, ...]:
        """The shape of a learned second blob: num_axes axes of x from `axis` on, or all of them (-1)."""
        axis, num_axes = x.canonical_axis(self.options.axis, self.where), self.options.num_axes
        if num_axes < -1:
            raise NetError(self.where, expected="num_axes at least 0, or -1 for all", got=num_axes)
        if axis + num_axes > x.num_axes:
            raise ShapeError(self.where, expected=f"at least {num_axes} axes from axis {axis} on", got=x.shape,
                             hint="lower num_axes, or write -1")
        return x.shape[axis:] if num_axes == -1 else x.shape[axis:axis + num_axes]

    def second(self, bottom):
        return bottom[1] if len(bottom) == 2 else self.blobs[0]

    def reshape(self, bottom, top):
        x, shape = bottom[0], self.second(bottom).shape
        axis = x.canonical_axis(self.options.axis, self.where) if shape else 0
        if x.shape[axis:axis + len(shape)] != shape:
            kind = "bottom 1" if len(bottom) == 2 else "parameter 0"
            raise ShapeError(self.where, f"{kind} has shape {shape}", got=x.shape,
                             expected=f"a bottom 0 that has it from axis {axis} on", hint="axis is where it begins")
        self.grouped = folded(x.shape, axis, axis + len(shape))
        top[0].reshape(x.shape)
