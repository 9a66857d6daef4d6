"""Distances of samples to centres."""

from __future__ import annotations

import numpy as np

from blobnet.backend import folded
from blobnet.core.layer import Layer
from blobnet.core.registry import register
from blobnet.errors import NetError, ShapeError
from blobnet.ops.distances import absolute_distances, squared_distances_to, sums_by_side
from blobnet.ops.indices import class_numbers
from blobnet.ops.linear import matmul


@register
class InnerDistance(Layer):
    """Compute the distance of every sample to every centre.

    L2: y_nk = ||x_n - c_k||^2, without a root;   L1: y_nk = sum_d |x_nd - c_kd|
    with normalize c_k becomes c_k / sqrt(||c_k||^2 + 10^-6), before each forward and for good

    L2: dx_n = 2 sum_k dy_nk (x_n - c_k),   dc_k = 2 sum_n dy_nk (c_k - x_n)
    L1: dx_nd = (sum of dy_nk over the k with x_nd > c_kd) - (number of k with x_nd < c_kd);   dc_kd likewise

    Bottoms: x (N, ...), read as N rows of D numbers; optionally centres c (K, ...); optionally labels (N,)
    Tops: y (N, K)
    Params: centres c (K, D), (D, K) with transpose; none if a bottom gives them
    Options: inner_distance_param.num_output K, weight_filler, axis (1; the axes before it count the rows),
    distance_type ("L2"; or "L1"), normalize (false; only centres that are a parameter), transpose (false),
    update_center_only (false): a centre gets dc from samples of its own label only, with three bottoms; gradient
    Paper: Wang et al., NormFace: L2 hypersphere embedding for face verification, ACM Multimedia 2017.
    Quirks: the published gradient of L1, shown above, counts dy only on one side; with normalize dc is that of the
    scaled centres. gradient: EXACT is the derivative, by centres as they were before they were scaled, and from all
    samples. transpose changes the shape of the parameter, not the order of its numbers. bias_term and bias_filler have
    no effect. Labels without update_center_only are not read.
    """

    options_field = "inner_distance_param"
    param_names = ("centres",)
    key_options = {"num_output": ""}
    published_gradient = True
    num_bottoms = (1, 3)
    unforced_bottoms = (2,)

    def setup(self, bottom, top):
        options = self.options
        if options.distance_type not in ("L1", "L2"):
            raise NetError(self.where, expected="distance_type 'L1' or 'L2'", got=repr(options.distance_type))
        if options.update_center_only and len(bottom) < 3:
            raise NetError(self.where, expected="x, centres, labels with update_center_only", got=len(bottom))
        self.axis = bottom[0].canonical_axis(options.axis, self.where)
        self.size = folded(bottom[0].shape, self.axis)[1]
        if len(bottom) == 1:
            if not options.num_output:
                raise NetError(self.where, expected="num_output above 0", got=options.num_output,
                               hint="write num_output, the number of centres, in inner_distance_param")
            shape = (options.num_output, self.size)
            self.add_param(shape[::-1] if options.transpose else shape, options.weight_filler)

    def reshape(self, bottom, top):
        self.rows, size = folded(bottom[0].shape, self.axis)
        if size != self.size:
            raise ShapeError(self.where, expected=f"{self.size} numbers a row, as before", got=bottom[0].shape)
        self.count = self.options.num_output if self.blobs else bottom[1].num
        if not self.blobs and bottom[1].count != self.count * size:
            raise ShapeError(self.where, f"centres {self.param.bottom[1]!r}", got=bottom[1].shape,
                             expected=f"rows of {size} numbers, as {self.param.bottom[0]!r} has")
        if self.options.update_center_only and bottom[2].count != self.rows:
            raise ShapeError(self.where, expected=f"one label a row, {self.rows}", got=bottom[2].shape)
        top[0].reshape((*bottom[0].shape[:self.axis], self.count))

    def multiply_adds(self, bottom, top):
        return self.rows * sum(blob.count for blob in self.blobs)

    def rows_of(self, x, centres):
        """Arrays of x and of the centres as (N, D) and (K, D)."""
        return x.reshape(self.rows, self.size), centres.reshape(self.count, self.size)

    def formula(self, x, c, *others):
        x, c = x.reshape(self.rows, self.size), c.reshape(-1, self.size)
        if self.options.normalize and self.blobs:
            c = c / np.sqrt((c ** 2).sum(axis=1, keepdims=True) + 1e-6)
        difference = x[:, None] - c
        return (difference ** 2 if self.options.distance_type == "L2" else abs(difference)).sum(axis=2)

    def forward(self, bottom, top):
        x, c = self.rows_of(bottom[0].data, self.param_data(0) if self.blobs else bottom[1].data)
        if self.options.normalize and self.blobs:
            self.lengths = self.xp.sqrt(self.xp.square(c).sum(axis=1, keepdims=True) + 1e-6)
            c /= self.lengths
        distances = squared_distances_to if self.options.distance_type == "L2" else absolute_distances
        distances(x, c, top[0].data.reshape(self.rows, self.count))

    def backward(self, top, propagate_down, bottom):
        self.refuse_targets(propagate_down)
        x, c = self.rows_of(bottom[0].data, self.param_data(0) if self.blobs else bottom[1].data)
        x_diff, c_diff = self.rows_of(bottom[0].diff, self.param_diff(0) if self.blobs else bottom[1].diff)
        dy = top[0].diff.reshape(self.rows, self.count)
        exact = self.options.gradient == self.options.EXACT
        if self.blobs and self.param_propagate_down[0] or any(propagate_down[1:2]):
            gradient, own = self.xp.empty_like(c), self.xp.ones_like(dy)
            if self.options.update_center_only and not exact:
                labels = class_numbers(bottom[2].data, self.where, self.param.bottom[2]).reshape(-1, 1)
                own[...] = self.xp.arange(self.count) == labels
            self.slopes(c, x, (dy * own).T, own.T, gradient)
            if exact and self.options.normalize and self.blobs:
                gradient -= (gradient * c).sum(axis=1, keepdims=True) * c
                gradient /= self.lengths
            c_diff[...] = c_diff + gradient if self.blobs else gradient
        if propagate_down[0]:
            self.slopes(x, c, dy, self.xp.ones_like(dy), x_diff)

    def slopes(self, x, c, dy, own, out):
        """out: the gradient to x of distances to c, where `own` is 1."""
        if self.options.distance_type == "L1":
            sums_by_side(x, c, dy, dy if self.options.gradient == self.options.EXACT else own, out)
        else:
            matmul(dy * -2, c, out)
            out += 2 * dy.sum(axis=1)[:, None] * x
