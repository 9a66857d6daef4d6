"""Batch normalisation."""

from __future__ import annotations

import numpy as np

from blobnet.backend import ALONE
from blobnet.core.context import TEST
from blobnet.core.registry import register
from blobnet.errors import NetError, ShapeError
from blobnet.layers.normalization._joined import JoinedBatchNorm
from blobnet.layers.normalization._terms import BatchNormTerms
from blobnet.ops.standardize import Eps, Tail, keep_statistics, normalize, stored_statistics
from blobnet.ops.standardize_across import standardize_across, standardize_across_backward
from blobnet.proto.messages import new


@register
class BatchNorm(BatchNormTerms):
    """Bring every channel to mean 0 and variance 1.

    y = (x - m) / s,   s = sqrt(v + eps)
    batch statistics: m and v are mean and variance of the M = N * H * W numbers of a channel,
        dx = (dy - mean(dy) - y * mean(dy * y)) / s, and every forward adds to the running sums:
        mean = fraction * mean + m,   variance = fraction * variance + v * M / (M - 1),   factor = fraction * factor + 1
    global statistics: m = mean / factor, v = variance / factor (0 while factor is 0),   dx = dy / s

    Bottoms: x (N, C, H, W), any axes after C; (N,) is one channel
    Tops: y (as x; may be x itself)
    Params: running sums mean (C), variance (C) and factor (1,); all begin at 0 and have lr_mult 0
    Options: use_global_stats (left out: true in TEST, false in TRAIN), moving_average_fraction (0.999), eps (1e-5);
    stats_batch_size (0; or N, as batch statistics are those of the whole batch here); across_processes (false): batch
    statistics of all processes that train together, each of which has an N of this size; engine (no effect)
    Paper: Ioffe and Szegedy, Batch Normalization: Accelerating Deep Network Training by Reducing Internal Covariate
    Shift, ICML 2015. Its scale and shift are a Scale layer of their own.
    Quirks: forward changes the parameters. Backward does not read y, so layers after this one may work in place. With
    lr_mult above 0 for one or two parameters the layer is refused; for all three it counts as 0. Caffe stops with an
    error at bottoms of one axis. A layer with the scale_bias: true of NVIDIA's fork, or its scale_filler or
    bias_filler, is read as two: this one, and a Scale layer after it that works in place on y. The Scale layer has
    bias_term: true, these fillers, the param specifications from the fourth on, and the name of this one + "_scale".
    The filler of Intel's fork, and bias_filler beside it, go to the Scale layer that reads y, if there is one.
    propagate_down: false is ignored if backward runs. type: "CuDNNBatchNorm", the name in some forks, means this layer.
    """

    options_field = "batch_norm_param"
    param_names = ("mean", "variance", "factor")
    in_place = keeps_coordinates = keeps_statistics = True
    ignores_propagate_down = True

    def setup(self, bottom, top):
        options, shape = self.options, bottom[0].shape
        if not shape:
            raise ShapeError(self.where, expected="at least 1 axis", got=shape)
        self.use_global = options.use_global_stats if options.HasField("use_global_stats") else self.phase == TEST
        self.channels = shape[1] if len(shape) > 1 else 1
        across = options.across_processes and not self.use_global
        self.processes = self.context.processes if across else ALONE  # whose statistics count
        for size in (self.channels, self.channels, 1):
            self.add_param((size,), new("FillerParameter"))
        while len(self.param.param) < len(self.blobs):
            self.param.param.add(lr_mult=0)
        for i, spec in enumerate(self.param.param):
            if spec.lr_mult != 0:
                raise NetError(self.where, f"param {i}", expected="lr_mult 0", got=f"{spec.lr_mult:g}",
                               hint="the statistics are not learned; a Scale layer after this one learns")

    def reshape(self, bottom, top):
        shape = bottom[0].shape
        if shape[1:2] != (self.channels,) and (len(shape) != 1 or self.channels != 1):
            expected = f"{self.channels} channels on axis 1, as the statistics have"
            raise ShapeError(self.where, expected=expected, got=shape)
        if not bottom[0].count and not self.use_global:
            raise ShapeError(self.where, expected="at least one value to take the statistics of", got=shape,
                             hint="use_global_stats: true works on empty batches")
        if not self.use_global and self.options.stats_batch_size not in (0, shape[0]):
            raise NetError(self.where, expected=f"a batch of {self.options.stats_batch_size}, as stats_batch_size is",
                           got=shape[0], hint="batch statistics of a part of the batch are not done here")
        self.grouped = (shape[0], self.channels, bottom[0].count // (shape[0] * self.channels) if shape[0] else 0)
        self.mean, self.variance, self.deviation = (self.xp.empty(self.channels, self.dtype) for _ in range(3))
        self.normalized = None if self.use_global else self.xp.empty(self.grouped, self.dtype)
        top[0].reshape(shape)

    def formula(self, x, mean, variance, factor):
        x = x.reshape(self.grouped)  # n, c, and all places
        given = np.array([mean, variance]) * (1 / factor if factor else 0)
        m, v = given if self.use_global else (x.mean((0, 2)), x.var((0, 2)))
        return (x - m[:, None]) / np.sqrt(v + self.options.eps)[:, None]

    def forward(self, bottom, top):
        self.forward_with(bottom, Tail(top[0].data.reshape(self.grouped)))

    def forward_with(self, bottom, tail, kept=None):
        x, eps = bottom[0].data.reshape(self.grouped), Eps(self.options.eps)
        sums = tuple(map(self.param_data, range(3)))
        if self.use_global:
            stored_statistics(*sums, eps, self.mean, self.variance, self.deviation)
            normalize(x, self.mean, self.deviation, tail.y if kept is None else kept, tail)
        else:
            standardize_across(self.processes, x, eps, self.mean, self.variance, self.deviation, self.normalized, tail)
            count = bottom[0].count // self.channels * self.processes.size
            unbiased = count / (count - 1) if count > 1 else 1
            keep_statistics(self.mean, self.variance, sums, self.options.moving_average_fraction, unbiased)

    def join(self, followers, learns):
        return None if self.processes.size > 1 else JoinedBatchNorm.of(self, followers, learns)

    def backward(self, top, propagate_down, bottom):
        if not propagate_down[0]:
            return
        dx, dy = bottom[0].diff.reshape(self.grouped), top[0].diff.reshape(self.grouped)
        if self.use_global:
            self.xp.divide(dy, self.deviation[:, None], out=dx)
        else:
            standardize_across_backward(self.processes, self.normalized, dy, self.deviation, dx)
