"""Simple recurrent network."""

from __future__ import annotations

from blobnet.core.registry import register
from blobnet.layers.recurrent._base import Recurrent
from blobnet.ops.linear import matmul


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
    Quirks: without expose_hidden, h after the last step is where the next forward starts, as far as its cont is not 0;
    a snapshot does not hold it, and `seek` sets it to 0. If N changes, sequence n goes on as sequence n while the
    memory of the state suffices; when it grows all begin at 0. No gradient goes to h[0] (its is 0), that of the exposed
    h[T] is ignored, and cont gets none. T may change between forwards, which Caffe refused. Parameters with lr_mult 0
    get their gradients, so clip_gradients counts them. debug_info logs the lines of the net of single steps that
    Caffe builds: such a net then runs beside this layer, on the CPU.
    """

    num_bottoms, num_tops = (2, 4), (1, 2)
    num_gates = num_states = 1

    def setup(self, bottom, top):
        super().setup(bottom, top)
        size = self.options.num_output
        self.output = len(self.blobs)  # the position of W_ho
        self.add_param((size, size), self.options.weight_filler)
        self.add_param((size,), self.options.bias_filler)

    def reshape(self, bottom, top):
        super().reshape(bottom, top)
        self.outputs = self.xp.empty((self.steps * self.num, self.options.num_output), self.dtype)

    def forward(self, bottom, top):
        (h,) = self.begin(bottom)
        for t, cont in enumerate(bottom[1].data[:, :, None]):
            h = self.step(t, cont, h)
            self.xp.tanh(h, out=h)
        self.finish(top, h)
        matmul(self.gates.reshape(self.outputs.shape), self.param_data(self.output).T, self.outputs)
        self.outputs += self.param_data(self.output + 1)
        self.xp.tanh(self.outputs, out=self.outputs)
        top[0].data[...] = self.outputs.reshape(top[0].shape)

    def backward(self, top, propagate_down, bottom):
        self.begin_back(top, propagate_down)
        output_diffs = 1 - self.xp.square(self.outputs)
        output_diffs *= top[0].diff.reshape(self.outputs.shape)
        self.add_gradients(self.output, output_diffs, self.gates)
        matmul(output_diffs, self.param_data(self.output), self.gate_diffs.reshape(self.outputs.shape))
        slopes = 1 - self.xp.square(self.gates)
        dh = self.xp.zeros(top[0].shape[1:], self.dtype)
        for t in reversed(range(self.steps)):
            self.gate_diffs[t] += dh
            self.gate_diffs[t] *= slopes[t]
            self.step_back(t, bottom[1].data[t, :, None], dh)
        self.finish_back(propagate_down, bottom)
