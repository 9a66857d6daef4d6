"""What Convolution and Deconvolution share: bottoms and tops, the parameters, the plan of the sliding kernels."""

from __future__ import annotations

from math import gcd, prod

import numpy as np

from blobnet.core.layer import Layer
from blobnet.core.layer_type import Arity
from blobnet.errors import NetError, ShapeError
from blobnet.layers.weighted._sliding import sliding
from blobnet.layers.weighted._sliding_terms import SlidingTerms
from blobnet.netdef.windows import places_above, places_under, window_line
from blobnet.netdef.words import option_words
from blobnet.ops.convolution import Convolution


class SlidingLayer(Layer):
    """The common part of Convolution and its transpose: every bottom has its top, and all share the parameters.

    A subclass sets `transposed` and writes forward and backward on `self.plan`, the Convolution of ops, which in a
    transposed layer leads from the top back to the bottom.
    """

    options_field = window_field = "convolution_param"
    param_names = ("weight", "bias")
    legacy_axes = (4, 1)
    num_bottoms: Arity = (1, None)
    num_tops: Arity = (1, None)
    same_bottoms_tops = shows_rates = True
    transposed = False

    @classmethod
    def coordinates(cls, layer):
        return (places_above if cls.transposed else places_under)(layer.convolution_param)

    @classmethod
    def facts(cls, layer):
        options = layer.convolution_param
        extra = [f"dilation {'x'.join(map(str, options.dilation))}"] * any(size != 1 for size in options.dilation)
        extra += [f"group {options.group}"] * (options.group != 1)
        return [option_words(options, "num_output"), window_line(options), *[", ".join(extra)] * bool(extra)]

    def setup(self, bottom, top):
        options = self.options
        self.axis = bottom[0].canonical_axis(options.axis, self.where)
        self.sliding = sliding(options, bottom[0].num_axes - self.axis - 1, self.where)
        self.channels, self.outputs, self.group = bottom[0].shape[self.axis], options.num_output, options.group
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
                             got=f"{spatial} under {self.sliding.words()}", hint="take larger "
                             "images, lower kernel_size, or raise pad")
        self.bottom_shape, self.top_shape = (num, self.channels, *spatial), (num, self.outputs, *sizes)
        source, target = (self.top_shape, self.channels) if self.transposed else (self.bottom_shape, self.outputs)
        self.plan = Convolution(self.xp, self.dtype, source, target, *self.sliding, groups=self.group)
        for blob in top:
            blob.reshape((*lead, self.outputs, *sizes))

    def covered(self, p: tuple[int, ...]) -> tuple:
        """The places p * stride + r * dilation that the kernel at place p covers, as an index; for formulas."""
        kernel, stride, _, dilation = map(np.array, self.sliding)
        return (..., *np.ix_(*map(np.arange, p * stride, p * stride + kernel * dilation, dilation)))

    @property
    def bias(self):
        return self.param_data(1) if self.options.bias_term else None

    def learns_bias(self) -> bool:
        return self.options.bias_term and self.param_propagate_down[1]

    def terms(self, place, bottom, top):
        return SlidingTerms(self, bottom, top).terms(place)

    def arithmetic(self):
        if self.axis != 1:
            return None
        kind = "deconvolution" if self.transposed else "convolution"
        return {"kind": kind, **self.sliding._asdict(), "group": self.group, "bias": self.bias is not None}
