"""One step of long short-term memory."""

from __future__ import annotations

import numpy as np

from blobnet.backend import folded, scratch
from blobnet.core.layer import Layer
from blobnet.core.registry import register
from blobnet.errors import ShapeError
from blobnet.layers.recurrent._sequences import refuse_cont
from blobnet.ops.lstm import cell_backward, cell_forward, cell_slopes


@register
class LSTMUnit(Layer):
    """Compute one step of long short-term memory from the inputs of its gates.

    [i, f, o, g] = [s, s, s, tanh](x), s(x) = 1 / (1 + e^-x);   c = cont * f * c_prev + i * g,   h = o * tanh(c)
    e = dc + dh * o * (1 - tanh(c)^2),   dc_prev = e * cont * f
    dx = [e * g * i (1 - i), e * c_prev * f (1 - f), dh * tanh(c) * o (1 - o), e * i * (1 - g^2)] with f = cont * s(x)

    Bottoms: c_prev (1, N, H); x (1, N, 4H), the inputs of i, f, o, g; cont (1, N), 0 where a sequence begins, else 1
    Tops: c (1, N, H), h (1, N, H)
    Params: none
    Paper: Hochreiter and Schmidhuber, Long short-term memory, Neural Computation 1997.
    Quirks: cont gets no gradient. Where it is neither 0 nor 1, the gradient to the input of f is not the derivative.
    The first axis may be longer than 1, for steps that do not depend on each other; Caffe refuses that.
    """

    num_bottoms, num_tops = 3, 2
    unforced_bottoms = (2,)

    def reshape(self, bottom, top):
        shape = bottom[0].shape
        if len(shape) != 3:
            raise ShapeError(self.where, "c_prev", expected="shape (1, N, H)", got=shape)
        for i, wanted in ((1, (*shape[:2], 4 * shape[2])), (2, shape[:2])):
            if bottom[i].shape != wanted:
                raise ShapeError(self.where, f"bottom {i} {self.param.bottom[i]!r}", got=bottom[i].shape,
                                 expected=f"shape {wanted} beside c_prev {shape}")
        self.squashed = self.xp.empty(folded(shape, 2), self.dtype)
        self.gates = self.xp.empty((4, *self.squashed.shape), self.dtype)
        for blob in top:
            blob.reshape(shape)

    def formula(self, c_prev, x, cont):
        *ifo, g = np.split(x, 4, axis=2)
        i, f, o = 1 / (1 + np.exp(-np.array(ifo)))
        c = cont[..., None] * f * c_prev + i * np.tanh(g)
        return c, o * np.tanh(c)

    def forward(self, bottom, top):
        last, x, cont, cell, out = (blob.data.reshape(folded(blob.shape, 2)) for blob in (*bottom, *top))
        cell_forward(x, cont, last, self.gates, cell, self.squashed, out)

    def backward(self, top, propagate_down, bottom):
        refuse_cont(self.where, propagate_down[2])
        last, out_diff = (array.reshape(self.squashed.shape) for array in (bottom[0].data, top[1].diff))
        rows, size = last.shape
        with scratch(self.xp, *(((rows, n * size), self.dtype) for n in (1, 4, 1))) as (cell_diff, slopes, through):
            cell_diff[...] = top[0].diff.reshape(cell_diff.shape)
            cell_slopes(self.gates, last, self.squashed, slopes, through)
            cell_backward(self.gates[1], through, out_diff, cell_diff, slopes)
            for blob, diff, wanted in zip(bottom, (cell_diff, slopes), propagate_down):
                if wanted:
                    blob.diff[...] = diff.reshape(blob.shape)
