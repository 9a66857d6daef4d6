"""Long short-term memory."""

from __future__ import annotations

from blobnet.core.registry import register
from blobnet.layers.recurrent._base import Recurrent
from blobnet.ops.lstm import cell_backward, cell_forward, gate_slopes


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
    Quirks: without expose_hidden, h and c after the last step are where the next forward starts, as far as its cont is
    not 0; a snapshot does not hold them, and `seek` sets them to 0. If N changes, sequence n goes on as sequence n
    while the memory of the states suffices; when it grows they begin at 0. No gradient goes to h[0] and c[0] (theirs
    is 0), and that of the exposed h[T] and c[T] is ignored. cont gets no gradient; between 0 and 1 the gradient is not
    the derivative, for that of f is taken with f * cont in the place of f. T may change between forwards, which
    Caffe refused. Parameters with lr_mult 0 get their gradients, so clip_gradients counts them. debug_info
    logs the lines of the net of single steps that Caffe builds: such a net then runs beside this layer, on the CPU.
    """

    num_bottoms, num_tops = (2, 5), (1, 3)
    num_gates, num_states = 4, 2

    def reshape(self, bottom, top):
        super().reshape(bottom, top)
        self.cells = self.xp.empty((self.steps + 1, *top[0].shape[1:]), self.dtype)
        self.squashed = self.xp.empty(top[0].shape, self.dtype)

    def forward(self, bottom, top):
        h, self.cells[0] = self.begin(bottom)
        for t, cont in enumerate(bottom[1].data[:, :, None]):
            gates = self.step(t, cont, h)
            h = top[0].data[t]
            cell_forward(gates, cont, self.cells[t], self.cells[t + 1], self.squashed[t], h)
        self.finish(top, h, self.cells[-1])

    def backward(self, top, propagate_down, bottom):
        self.begin_back(top, propagate_down)
        gate_slopes(self.gates, self.cells[:-1], self.squashed, self.gate_diffs)
        dh, dc = self.xp.zeros((2, *top[0].shape[1:]), self.dtype)
        for t in reversed(range(self.steps)):
            dh += top[0].diff[t]
            cell_backward(self.gates[t], self.squashed[t], dh, dc, self.gate_diffs[t])
            self.step_back(t, bottom[1].data[t, :, None], dh)
        self.finish_back(propagate_down, bottom)
