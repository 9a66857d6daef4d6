"""What LSTM and RNN share: bottoms and tops, the parameters of the inputs, the state that is carried along."""

from __future__ import annotations

from math import prod

from blobnet.core.blob import Blob
from blobnet.core.layer import Layer
from blobnet.errors import NetError, ShapeError
from blobnet.layers.recurrent._unrolled import STEPS, Unrolled
from blobnet.ops.linear import matmul


def refuse_cont(where: str, wanted: bool) -> None:
    """NetError if the continuation indicators should get a gradient."""
    if wanted:
        raise NetError(where, "the continuation indicators (cont) have no gradient",
                       hint="let cont come from data, not from a layer that learns, or write propagate_down: false")


class Recurrent(Layer):
    """T steps of N sequences side by side, over states of H = num_output numbers that start where cont is 0.

    The linear part of every step is the same in all types: gates[t] = W_x x[t] + b + W_static x_static + W_h held[t],
    held[t] = cont[t] * h[t-1]. The products with x run for all steps at once. A subclass sets `num_gates`, the rows
    of gates in units of H, and `num_states`, and writes forward around `begin`, `step`, `finish`, and backward around
    `begin_back`, `step_back`, `finish_back`. The states that are not exposed are kept from forward to forward, and get
    no gradient.
    """

    options_field = "recurrent_param"
    unforced_bottoms = (1,)
    num_gates: int
    num_states: int

    def setup(self, bottom, top):
        options, exposed = self.options, self.num_states * self.options.expose_hidden
        self._check_arity("bottom", (2 + exposed, 3 + exposed), len(bottom))
        self._check_arity("top", 1 + exposed, len(top))
        if not options.num_output:
            raise NetError(self.where, expected="num_output above 0", got=options.num_output,
                           hint="write num_output, the size of the state, in recurrent_param")
        self.static = len(bottom) > 2 + exposed
        rows = self.num_gates * options.num_output
        self.add_param((rows, self._row_size(bottom[0], 2)), options.weight_filler)
        self.add_param((rows,), options.bias_filler)
        if self.static:
            self.add_param((rows, self._row_size(bottom[2], 1)), options.weight_filler)
        self.recurrent = len(self.blobs)  # the position of W_h
        self.add_param((rows, options.num_output), options.weight_filler)
        self.states = [Blob((), self.xp, self.dtype) for _ in range(self.num_states)]

    def _row_size(self, blob, axes: int) -> int:
        """The numbers of one row of an input, whose first `axes` axes count the rows."""
        if blob.num_axes <= axes:
            raise ShapeError(self.where, expected=f"an input of more than {axes} axes", got=blob.shape,
                             hint="x is (T, N, ...), x_static (N, ...)")
        return prod(blob.shape[axes:])

    def reshape(self, bottom, top):
        for i, axes in [(0, 2), (2, 1)][:1 + self.static]:
            wanted = self.param_data(i).shape[1]
            if self._row_size(bottom[i], axes) != wanted:
                raise ShapeError(self.where, f"bottom {i} {self.param.bottom[i]!r}", got=bottom[i].shape,
                                 expected=f"{wanted} numbers a row, as the weights have")
        self.steps, self.num = bottom[0].shape[:2]
        size, rows = self.options.num_output, len(self.param_data(1))
        state = (1, self.num, size)
        if not self.steps:
            raise ShapeError(self.where, expected="at least one time step", got=bottom[0].shape)
        wanted = [(1, (self.steps, self.num))] + [(i, state) for i in range(2 + self.static, len(bottom))]
        for i, shape in wanted:
            if bottom[i].shape != shape:
                raise ShapeError(self.where, f"bottom {i} {self.param.bottom[i]!r}", expected=f"shape {shape}",
                                 got=bottom[i].shape, hint="" if i > 1 else "cont has one number a step and sequence")
        if self.static and bottom[2].shape[0] != self.num:
            raise ShapeError(self.where, expected=f"{self.num} rows of x_static, one a sequence", got=bottom[2].shape)
        top[0].reshape((self.steps, self.num, size))
        for blob in [*self.states, *top[1:]]:
            blob.reshape(state)
        self.gates, self.gate_diffs = (self.xp.empty((self.steps, self.num, rows), self.dtype) for _ in range(2))
        self.held = self.xp.empty((self.steps, self.num, size), self.dtype)
        self.product = self.xp.empty((self.num, rows), self.dtype)
        self.unrolled = None
        if self.options.debug_info and self.param.type in STEPS:
            self.unrolled = Unrolled(self, {name: blob.shape for name, blob in self._inputs(bottom).items()})

    def _inputs(self, bottom) -> dict[str, Blob]:
        """The inputs of Caffe's net of single steps, by its names and in its order."""
        states = dict(zip(("h_0", "c_0"), bottom[2 + self.static:] or self.states))
        return dict(zip(("x", "cont", "x_static"), bottom[:2 + self.static])) | dict(sorted(states.items()))

    def seek(self, step):
        """Forget the carried states: after a restored snapshot they begin at 0."""
        self.states = [Blob(blob.shape, self.xp, self.dtype) for blob in self.states]

    def multiply_adds(self, bottom, top):
        total = self.steps * self.num * sum(blob.count for blob in self.blobs if blob.num_axes == 2)
        return total - (self.steps - 1) * self.num * self.blobs[2].count * self.static

    def begin(self, bottom) -> list:
        """Compute the inputs' part of all gates; return the states (N, H) before the first step."""
        if self.unrolled:
            self.unrolled.forward(self._inputs(bottom))
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
        gradient = self.xp.empty_like(self.param_diff(index))
        matmul(diffs.T, x.reshape(len(diffs), gradient.shape[1]), gradient)
        self.param_diff(index)[...] += gradient
        if bias:
            self.param_diff(index + 1)[...] += diffs.sum(axis=0)
