"""Simple recurrent network."""

from __future__ import annotations

import numpy as np

from blobnet.backend import scratch
from blobnet.core.registry import register
from blobnet.layers.recurrent._base import Recurrent
from blobnet.ops.linear import Product, matmul, multiply
from blobnet.ops.recurrence import tanh_slopes


@register
class RNN(Recurrent):
    """Run a simple recurrent network over sequences.

    h[t] = tanh(W_xh x[t] + b_h + W_xh_static x_static + W_hh (cont[t] * h[t-1])),   o[t] = tanh(W_ho h[t] + b_o)
    backward is the derivative of these steps, from the last to the first; what comes before them counts as constant

    Bottoms: x (T, N, ...), T steps of N sequences; cont (T, N), 0 where a sequence begins, else 1; optionally x_static
    (N, ...), the same in all steps; with expose_hidden h[0] (1, N, H)
    Tops: o (T, N, H); with expose_hidden h[T] (1, N, H)
    Params: W_xh (H, I), b_h (H), W_xh_static (H, S) if there is x_static, W_hh (H, H), W_ho (H, H), b_o (H), where I
    and S count the numbers of x and x_static for one sequence in one step
    Options: num_output H, weight_filler, bias_filler, expose_hidden (false), debug_info (false)
    Paper: Elman, Finding structure in time, Cognitive Science 1990.
    Quirks: without expose_hidden, the next forward starts from the last h wherever its cont is not 0. A snapshot does
    not hold this state, and `seek` sets it to 0. If N changes, sequence n continues as sequence n while the memory of
    the state is large enough; when it has to grow, all states begin at 0. h[0] gets a gradient of 0, the gradient of
    the exposed h[T] is ignored, and cont gets none. T may change between forwards, which Caffe refuses. Parameters with
    lr_mult 0 get their gradients too, so clip_gradients counts them. debug_info logs the lines of the net of single
    steps that Caffe builds: such a net then runs beside this layer, on the CPU.
    """

    num_bottoms, num_tops = (2, 4), (1, 2)
    param_names = ("W_xh", "b_h", "W_xh_static", "W_hh", "W_ho", "b_o")
    num_gates = num_states = 1

    def setup(self, bottom, top):
        super().setup(bottom, top)
        size = self.options.num_output
        self.output = len(self.blobs)  # the position of W_ho
        self.add_param((size, size), self.options.weight_filler)
        self.add_param((size,), self.options.bias_filler)

    def reshape(self, bottom, top):
        super().reshape(bottom, top)
        self.h = self.xp.empty(top[0].shape, self.dtype)
        self.outputs = self.xp.empty((self.steps * self.num, self.options.num_output), self.dtype)

    def formula(self, x, cont, *others):
        given, (W_xh, b_h, *W_xh_static, W_hh, W_ho, b_o) = others[:-len(self.blobs)], others[-len(self.blobs):]
        (T, N), H = cont.shape, self.options.num_output
        static = sum(x_static.reshape(N, -1) @ weight.T for weight, x_static in zip(W_xh_static, given))
        inputs = x.reshape(T, N, -1) @ W_xh.T + b_h + static
        h = given[-1][0] if self.options.expose_hidden else np.zeros((N, H))
        o = np.empty((T, N, H))
        for t in range(T):
            h = np.tanh(inputs[t] + cont[t, :, None] * h @ W_hh.T)
            o[t] = np.tanh(h @ W_ho.T + b_o)
        return o, h

    def forward(self, bottom, top):
        (first,), cont = self.begin(bottom), bottom[1].data[:, :, None]
        self.recurrence.forward(first, cont, self.param_data(self.hidden), self.h,
                                lambda t, rows, z, h: self.xp.tanh(z, out=h))
        self.finish(top, self.h[-1])
        matmul(self.h.reshape(self.outputs.shape), self.param_data(self.output).T, self.outputs)
        self.outputs += self.param_data(self.output + 1)
        self.xp.tanh(self.outputs, out=self.outputs)
        top[0].data[...] = self.outputs.reshape(top[0].shape)

    def backward(self, top, propagate_down, bottom):
        self.begin_back(top, propagate_down)
        with scratch(self.xp, *[(self.outputs.shape, self.dtype)] * 2) as (output_diffs, h_diff):
            tanh_slopes(self.outputs, output_diffs)
            output_diffs *= top[0].diff.reshape(self.outputs.shape)
            multiply(self.gradient(self.output, output_diffs, self.h),
                     Product(output_diffs, self.param_data(self.output), h_diff))
            self.param_diff(self.output + 1)[...] += output_diffs.sum(axis=0)
            slopes = self.recurrence.diffs  # until the steps
            tanh_slopes(self.h, slopes)

            def cell(t, rows, dh, dz):
                dz *= dh

            self.recurrence.backward(bottom[1].data[:, :, None], self.param_data(self.hidden),
                                     h_diff.reshape(self.h.shape), cell)
        self.finish_back(propagate_down, bottom)
