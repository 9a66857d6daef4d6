"""The steps of LSTM and RNN: the linear part, which is the same in both, forward and backward."""

from __future__ import annotations

from blobnet.layers.recurrent._sequences import Sequences, refuse_cont
from blobnet.layers.recurrent._unrolled import STEPS, Unrolled
from blobnet.ops.linear import add_matmul, matmul


class Recurrent(Sequences):
    """The linear part of every step: gates[t] = W_x x[t] + b + W_static x_static + W_h held[t].

    held[t] = cont[t] * h[t-1]. The products with x run for all steps at once. A subclass writes forward around `begin`,
    `step`, `finish`, and backward around `begin_back`, `step_back`, `finish_back`.
    """

    def reshape(self, bottom, top):
        super().reshape(bottom, top)
        rows, size = len(self.param_data(1)), self.options.num_output
        self.gates, self.gate_diffs = (self.xp.empty((self.steps, self.num, rows), self.dtype) for _ in range(2))
        self.held = self.xp.empty((self.steps, self.num, size), self.dtype)
        self.product = self.xp.empty((self.num, rows), self.dtype)
        self.unrolled = None
        if self.options.debug_info and self.param.type in STEPS:
            self.unrolled = Unrolled(self, {name: blob.shape for name, blob in self.inputs(bottom).items()})

    def begin(self, bottom) -> list:
        """Compute the inputs' part of all gates; return the states (N, H) before the first step."""
        if self.unrolled:
            self.unrolled.forward(self.inputs(bottom))
        weight = self.param_data(0)
        matmul(bottom[0].data.reshape(-1, weight.shape[1]), weight.T, self.gates.reshape(-1, len(weight)))
        self.gates += self.param_data(1)
        if self.static:
            weight = self.param_data(2)
            matmul(bottom[2].data.reshape(-1, weight.shape[1]), weight.T, self.product)
            self.gates += self.product
        return [blob.data[0] for blob in (bottom[2 + self.static:] or self.states)]

    def step(self, t: int, cont, h):
        """Add the part of the last h (N, H), where it is continued, to the gates of step t; return these (N, rows)."""
        self.xp.multiply(h, cont, out=self.held[t])
        matmul(self.held[t], self.param_data(self.recurrent).T, self.product)
        self.gates[t] += self.product
        return self.gates[t]

    def finish(self, top, *states) -> None:
        """Hand the states after the last step to the tops, or to the next forward."""
        for blob, value in zip(top[1:] or self.states, states, strict=True):
            blob.data[0] = value

    def begin_back(self, top, propagate_down) -> None:
        """NetError if the continuation indicators should get a gradient."""
        refuse_cont(self.where, propagate_down[1])
        if self.unrolled:
            self.unrolled.backward(top[0].diff)

    def step_back(self, t: int, cont, out) -> None:
        """out (N, H) = the gradient of the h before step t, from the gate_diffs of that step."""
        matmul(self.gate_diffs[t], self.param_data(self.recurrent), out)
        out *= cont

    def finish_back(self, propagate_down, bottom) -> None:
        """All other gradients, from the gate_diffs of all steps."""
        diffs = self.gate_diffs.reshape(-1, self.gate_diffs.shape[-1])
        self.add_gradients(0, diffs, bottom[0].data)
        self.add_gradients(self.recurrent, diffs, self.held, bias=False)
        if propagate_down[0]:
            matmul(diffs, self.param_data(0), bottom[0].diff.reshape(len(diffs), self.param_data(0).shape[1]))
        if self.static:
            total = self.gate_diffs.sum(axis=0)
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
