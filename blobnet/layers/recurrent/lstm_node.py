"""One step of long short-term memory, with the weights of its gates."""

from __future__ import annotations

import math

import numpy as np

from blobnet.backend import scratch
from blobnet.core.fillers import fill
from blobnet.core.layer import Layer
from blobnet.core.registry import register
from blobnet.errors import NetError, ShapeError
from blobnet.layers.recurrent._sequences import refuse_cont
from blobnet.ops.linear import add_matmul, matmul
from blobnet.ops.lstm import cell_backward, cell_forward, cell_slopes
from blobnet.proto.messages import new

GATES = "input_gate", "forget_gate", "output_gate", "input"


@register
class LSTMNode(Layer):
    """Compute one step of long short-term memory; a net that is unrolled has one layer a step, with shared weights.

    [i, f, o, g] = [s, s, s, tanh](W x + b), s(x) = 1 / (1 + e^-x);   c = cont * f * c_prev + i * g,   h = o * tanh(c)
    e = dc + dh * o * (1 - tanh(c)^2),   dc_prev = e * cont * f
    dz = [e * g * i (1 - i), e * c_prev * f (1 - f), dh * tanh(c) * o (1 - o), e * i * (1 - g^2)] with f = cont * s(…)
    dx = dz W,   dW += dz^T x,   db += sum of dz over the rows

    Bottoms: x (N, ...) of K numbers a row, which hold the last output too where a step is to see it; c_prev, N H
    numbers; optionally cont (N,), 0 where a sequence begins, else 1
    Tops: h (N, H), c (N, H)
    Params: W (4H, K) of i, f, o, g; b (4H,), without bias_term none
    Options: num_cells H; bias_term (true); input_weight_filler and input_bias_filler of g, input_gate_…, forget_gate_…
    and output_gate_weight_filler and _bias_filler of i, f, o (all 0); cache_gates has no effect
    Paper: Hochreiter and Schmidhuber, Long short-term memory, Neural Computation 1997; as in the code of Anderson et
    al., Bottom-up and top-down attention for image captioning and visual question answering, CVPR 2018.
    Quirks: cont gets no gradient. Where it is neither 0 nor 1, the gradient through f is not the derivative.
    """

    options_field = "lstmnode_param"
    param_names = ("W", "b")
    num_bottoms, num_tops = (2, 3), 2
    unforced_bottoms = (2,)
    key_options = {"num_cells": ""}

    def setup(self, bottom, top):
        self.cells = self.options.num_cells
        if not self.cells:
            raise NetError(self.where, expected="num_cells of at least 1", got=0, hint="write lstmnode_param { "
                           "num_cells: 512 }")
        shapes = {"weight": (4 * self.cells, math.prod(bottom[0].shape[1:])), "bias": (4 * self.cells,)}
        for kind, shape in list(shapes.items())[:1 + self.options.bias_term]:
            values = self.add_param(shape, new("FillerParameter")).data.reshape(4, self.cells, *shape[1:])
            for gate, part in zip(GATES, values):
                fill(part, getattr(self.options, f"{gate}_{kind}_filler"), self._fill_stream, self.where,
                     self.context.fillers)

    def reshape(self, bottom, top):
        shape, inputs = bottom[0].shape, self.param_data(0).shape[1]
        if not shape or math.prod(shape[1:]) != inputs:
            raise ShapeError(self.where, f"bottom 0 {self.param.bottom[0]!r}", expected=f"rows of {inputs} numbers",
                             got=shape)
        self.rows = rows = shape[0]
        for i, count in ((1, rows * self.cells), (2, rows)):
            if i < len(bottom) and bottom[i].count != count:
                raise ShapeError(self.where, f"bottom {i} {self.param.bottom[i]!r}", got=bottom[i].shape,
                                 expected=f"{count} numbers beside x {shape}")
        sizes = (4, rows, self.cells), (rows, 4 * self.cells), (rows, self.cells)
        self.gates, self.slopes, self.squashed = (self.xp.empty(size, self.dtype) for size in sizes)
        for blob in top:
            blob.reshape((rows, self.cells))

    def multiply_adds(self, bottom, top):
        return bottom[0].shape[0] * self.blobs[0].count

    def formula(self, x, c_prev, *others):
        learnt = 1 + self.options.bias_term
        W, b = (*others[-learnt:], 0)[:2]
        cont = others[0].ravel() if len(others) > learnt else np.ones(len(x))
        *ifo, g = np.split(x.reshape(len(x), -1) @ W.T + b, 4, axis=1)
        i, f, o = 1 / (1 + np.exp(-np.array(ifo)))
        c = cont[:, None] * f * c_prev.reshape(g.shape) + i * np.tanh(g)
        return o * np.tanh(c), c

    def forward(self, bottom, top):
        with scratch(self.xp, (self.slopes.shape, self.dtype)) as (z,):
            matmul(self._flat(bottom[0].data), self.param_data(0).T, z)
            if self.options.bias_term:
                z += self.param_data(1)
            cont = bottom[2].data.reshape(self.rows, 1) if len(bottom) > 2 else 1
            cell_forward(z, cont, self._flat(bottom[1].data), self.gates, top[1].data, self.squashed, top[0].data)

    def backward(self, top, propagate_down, bottom):
        refuse_cont(self.where, any(propagate_down[2:]))
        with scratch(self.xp, *[(self.squashed.shape, self.dtype)] * 2) as (cell_diff, through):
            cell_diff[...] = top[1].diff
            cell_slopes(self.gates, self._flat(bottom[1].data), self.squashed, self.slopes, through)
            cell_backward(self.gates[1], through, top[0].diff, cell_diff, self.slopes)
            if propagate_down[1]:
                bottom[1].diff[...] = cell_diff.reshape(bottom[1].shape)
        if self.param_propagate_down[0]:
            add_matmul(self.slopes.T, self._flat(bottom[0].data), self.param_diff(0))
        if self.options.bias_term and self.param_propagate_down[1]:
            self.param_diff(1)[...] += self.slopes.sum(axis=0)
        if propagate_down[0]:
            matmul(self.slopes, self.param_data(0), self._flat(bottom[0].diff))

    def _flat(self, values):
        """(N, …) as (N, numbers of a row)."""
        return values.reshape(self.rows, -1) if self.rows else values.reshape(0, math.prod(values.shape[1:]))
