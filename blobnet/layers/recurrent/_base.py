"""The steps of LSTM and RNN: the linear part, which is the same in both, forward and backward."""

from __future__ import annotations

from blobnet.layers.recurrent._sequences import Sequences, refuse_cont
from blobnet.layers.recurrent._unrolled import STEPS, Unrolled
from blobnet.ops.linear import Product, add_matmul, matmul, multiply
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
        diffs, x = self.recurrence.diffs.reshape(-1, len(self.param_data(1))), bottom[0]
        products = [self.gradient(0, diffs, x.data), self.gradient(self.hidden, diffs, self.recurrence.held)]
        if propagate_down[0]:
            products.append(self.onward(diffs, 0, x))
        if self.static:
            total, x = self.recurrence.diffs.sum(axis=0), bottom[2]
            products.append(self.gradient(2, total, x.data))
            if propagate_down[2]:
                products.append(self.onward(total, 2, x))
        multiply(*products)
        self.param_diff(1)[...] += diffs.sum(axis=0)
        for blob, wanted in zip(bottom[2 + self.static:], propagate_down[2 + self.static:]):
            if wanted:
                blob.diff.fill(0)

    def gradient(self, index: int, diffs, x) -> Product:
        """diffs^T . x, to be added to the diff of parameter `index`.

        Parameters that do not learn get their gradients too, as in Caffe, where clip_gradients counts them.
        """
        gradient = self.param_diff(index)
        return Product(diffs.T, x.reshape(len(diffs), gradient.shape[1]), gradient, add=True)

    def onward(self, diffs, index: int, blob) -> Product:
        """The diff of an input: diffs . parameter `index`."""
        weight = self.param_data(index)
        return Product(diffs, weight, blob.diff.reshape(len(diffs), weight.shape[1]))
