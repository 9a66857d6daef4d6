"""The steps of LSTM and RNN: the linear part, which is the same in both, forward and backward."""

from __future__ import annotations

from blobnet.layers.recurrent._sequences import Sequences, refuse_cont
from blobnet.layers.recurrent._unrolled import STEPS, Unrolled
from blobnet.ops.linear import add_matmul, matmul
from blobnet.ops.recurrence import Recurrence


class Recurrent(Sequences):
    """The linear part of every step: z[t] = W_x x[t] + b + W_static x_static + W_h (cont[t] * h[t-1]).

    The products with x run for all steps at once; `recurrence` runs the steps. A subclass writes forward between
    `begin` and `finish`, and backward between `begin_back` and `finish_back`.
    """

    def reshape(self, bottom, top):
        super().reshape(bottom, top)
        size, rows = self.options.num_output, len(self.param_data(1))
        self.recurrence = Recurrence(self.xp, self.dtype, self.steps, self.num, size, rows)
        self.unrolled = None
        if self.options.debug_info and self.param.type in STEPS:
            self.unrolled = Unrolled(self, {name: blob.shape for name, blob in self.inputs(bottom).items()})

    def begin(self, bottom) -> list:
        """Compute the part of z that needs no state; return the states (N, H) before the first step."""
        if self.unrolled:
            self.unrolled.forward(self.inputs(bottom))
        weight, (inputs, constant) = self.param_data(0), (self.recurrence.inputs, self.recurrence.constant)
        matmul(bottom[0].data.reshape(-1, weight.shape[1]), weight.T, inputs.reshape(-1, len(weight)))
        constant[...] = self.param_data(1)
        if self.static:
            weight = self.param_data(2)
            add_matmul(bottom[2].data.reshape(-1, weight.shape[1]), weight.T, constant)
        return [blob.data[0] for blob in (bottom[2 + self.static:] or self.states)]

    def finish(self, top, *states) -> None:
        """Hand the states after the last step to the tops, or to the next forward."""
        for blob, value in zip(top[1:] or self.states, states, strict=True):
            blob.data[0] = value

    def begin_back(self, top, propagate_down) -> None:
        """NetError if the continuation indicators should get a gradient."""
        refuse_cont(self.where, propagate_down[1])
        if self.unrolled:
            self.unrolled.backward(top[0].diff)

    def finish_back(self, propagate_down, bottom) -> None:
        """All other gradients, from those to z of all steps."""
        diffs = self.recurrence.diffs.reshape(-1, len(self.param_data(1)))
        self.add_gradients(0, diffs, bottom[0].data)
        self.add_gradients(self.hidden, diffs, self.recurrence.held, bias=False)
        if propagate_down[0]:
            matmul(diffs, self.param_data(0), bottom[0].diff.reshape(len(diffs), self.param_data(0).shape[1]))
        if self.static:
            total = self.recurrence.diffs.sum(axis=0)
            self.add_gradients(2, total, bottom[2].data, bias=False)
            if propagate_down[2]:
                matmul(total, self.param_data(2), bottom[2].diff.reshape(len(total), self.param_data(2).shape[1]))
        for blob, wanted in zip(bottom[2 + self.static:], propagate_down[2 + self.static:]):
            if wanted:
                blob.diff.fill(0)

    def add_gradients(self, index: int, diffs, x, bias: bool = True) -> None:
        """Add diffs^T . x to the diff of parameter `index`, and the sum of diffs to that of the bias after it.

        Parameters that do not learn get their gradients too, as in Caffe, where clip_gradients counts them.
        """
        gradient = self.param_diff(index)
        add_matmul(diffs.T, x.reshape(len(diffs), gradient.shape[1]), gradient)
        if bias:
            self.param_diff(index + 1)[...] += diffs.sum(axis=0)
