"""Long short-term memory."""

from __future__ import annotations

import numpy as np

from blobnet.backend import scratch
from blobnet.core.registry import register
from blobnet.layers.recurrent._base import Recurrent
from blobnet.ops.lstm import cell_backward, cell_forward, cell_slopes


@register
class LSTM(Recurrent):
    """Run long short-term memory over sequences.

    [i, f, o, g][t] = [s, s, s, tanh](W_xc x[t] + b_c + W_xc_static x_static + W_hc (cont[t] * h[t-1]))
    c[t] = cont[t] * f[t] * c[t-1] + i[t] * g[t],   h[t] = o[t] * tanh(c[t]),   with s(x) = 1 / (1 + e^-x)
    backward is the derivative of these steps, from the last to the first; what comes before them counts as constant

    Bottoms: x (T, N, ...), T steps of N sequences; cont (T, N), 0 where a sequence begins, else 1; optionally x_static
    (N, ...), the same in all steps; with expose_hidden h[0] and c[0] (1, N, H)
    Tops: h (T, N, H); with expose_hidden h[T] and c[T] (1, N, H)
    Params: W_xc (4H, I), b_c (4H), W_xc_static (4H, S) if there is x_static, W_hc (4H, H), where I and S count the
    numbers of x and x_static for one sequence in one step
    Options: num_output H, weight_filler, bias_filler, expose_hidden (false), debug_info (false)
    Paper: Hochreiter and Schmidhuber, Long short-term memory, Neural Computation 1997; in the form of Zaremba and
    Sutskever, Learning to Execute, arXiv 2014.
    Quirks: without expose_hidden, the next forward starts from the last h and c wherever its cont is not 0. A snapshot
    does not hold these states, and `seek` sets them to 0. If N changes, sequence n continues as sequence n while the
    memory of the states is large enough; when it has to grow, all states begin at 0. h[0] and c[0] get a gradient of 0,
    and the gradient of the exposed h[T] and c[T] is ignored. cont gets no gradient. Where it is between 0 and 1, the
    gradient is not the derivative: for f, it uses f * cont in the place of f. T may change between forwards, which
    Caffe refuses. Parameters with lr_mult 0 get their gradients too, so clip_gradients counts them. debug_info logs the
    lines of the net of single steps that Caffe builds: such a net then runs beside this layer, on the CPU.
    """

    num_bottoms, num_tops = (2, 5), (1, 3)
    param_names = ("W_xc", "b_c", "W_xc_static", "W_hc")
    num_gates, num_states = 4, 2

    def reshape(self, bottom, top):
        super().reshape(bottom, top)
        self.cells = self.xp.empty((self.steps + 1, *top[0].shape[1:]), self.dtype)
        self.squashed = self.xp.empty(top[0].shape, self.dtype)
        self.gates = self.xp.empty((4, *top[0].shape), self.dtype)

    def formula(self, x, cont, *others):
        given, (W_xc, b_c, *W_xc_static, W_hc) = others[:-len(self.blobs)], others[-len(self.blobs):]
        (T, N), H = cont.shape, self.options.num_output
        static = sum(x_static.reshape(N, -1) @ weight.T for weight, x_static in zip(W_xc_static, given))
        inputs = x.reshape(T, N, -1) @ W_xc.T + b_c + static
        h, c = np.concatenate(given[-2:] if self.options.expose_hidden else np.zeros((2, 1, N, H)))
        y = np.empty((T, N, H))
        for t in range(T):
            *ifo, g = np.split(inputs[t] + cont[t, :, None] * h @ W_hc.T, 4, axis=1)
            i, f, o = 1 / (1 + np.exp(-np.array(ifo)))
            c = cont[t, :, None] * f * c + i * np.tanh(g)
            y[t] = h = o * np.tanh(c)
        return y, h, c

    def forward(self, bottom, top):
        (first, self.cells[0]), cont, out = self.begin(bottom), bottom[1].data[:, :, None], top[0].data

        def cell(t, rows, z, h):
            cell_forward(z, cont[t, rows], self.cells[t, rows], self.gates[:, t, rows], self.cells[t + 1, rows],
                         self.squashed[t, rows], h)

        self.recurrence.forward(first, cont, self.param_data(self.hidden), out, cell)
        self.finish(top, out[-1], self.cells[-1])

    def backward(self, top, propagate_down, bottom):
        self.begin_back(top, propagate_down)
        cont, shape = bottom[1].data[:, :, None], top[0].shape
        with scratch(self.xp, (shape, self.dtype), (shape[1:], self.dtype)) as (through, dc):
            cell_slopes(self.gates, self.cells[:-1], self.squashed, self.recurrence.diffs, through)
            dc.fill(0)

            def cell(t, rows, dh, dz):
                cell_backward(self.gates[1, t, rows], through[t, rows], dh, dc[rows], dz)

            self.recurrence.backward(cont, self.param_data(self.hidden), top[0].diff, cell)
        self.finish_back(propagate_down, bottom)
