"""Long short-term memory, as two forks had it before Caffe did."""

from __future__ import annotations

import numpy as np

from blobnet.backend import scratch
from blobnet.core.registry import register
from blobnet.layers.recurrent._one_length import OneLength
from blobnet.ops.linear import Product, matmul, multiply
from blobnet.ops.lstm import cell_backward, cell_forward, cell_slopes


@register
class Lstm(OneLength):
    """Run long short-term memory over sequences of one length.

    [i, f, o, g][t] = [s, s, s, tanh](W x[t] + b + U k[t] h[t-1]),   s(x) = 1 / (1 + e^-x)
    c[t] = k[t] f[t] c[t-1] + i[t] g[t],   h[t] = o[t] tanh(c[t])
    k[t] = 1 where clip[t] is not 0, else 0; without clip 0 in the first step, then 1

    e[t], the derivative by the inputs of the gates, is clipped to +- clipping_threshold, if that is above 0, before it
    goes on;   dW += sum_t e[t] x[t]^T,   dU += sum_t e[t] h[t-1]^T,   db += sum_t e[t]

    Bottoms: x (T, N, I), or (T * N, ...) of 2, 4 or more axes, N sequences in each step and I numbers each; optionally
    clip, T * N numbers, 0 where a sequence begins
    Tops: h (T, N, H), or (T * N, H)
    Params: W (4H, I), U (4H, H), b (4H)
    Options: lstm_param.num_output H, clipping_threshold (0: off), weight_filler, bias_filler, batch_size N (1; x of
    three axes tells it itself), gradient
    Paper: Hochreiter and Schmidhuber, Long short-term memory, Neural Computation 1997. x of three axes is that of CTPN
    (Tian et al., Detecting Text in Natural Image with Connectionist Text Proposal Network, ECCV 2016), otherwise it is
    that of J. Koh's caffe-lstm. LSTM is the layer of Caffe itself.
    Quirks: the published dU, shown above, knows nothing of k. gradient: EXACT multiplies with it, and does not clip.
    With clip, the first step goes on from the last h and c of the forward before, unless its clip is 0; that forward
    counts as constant. Without clip every forward begins at 0. A snapshot does not hold these states, and `seek` sets
    them to 0. The authors' CPU code is wrong for N > 1, and the place of clip in both codes; here all sequences are
    computed alike, as on their GPU. Theirs adds the gradients of later steps to the diff of the top; here that stays.
    """

    def formula(self, x, *others):
        *clip, W, U, b = others
        x, (T, N, H) = x.reshape(*self.shape[:2], -1), self.shape
        k = clip[0].reshape(T, N, 1) != 0 if clip else np.arange(T).reshape(T, 1, 1) > 0
        h = c = np.zeros((N, H))
        y = np.empty(self.shape)
        for t in range(T):
            *ifo, g = np.split(x[t] @ W.T + b + k[t] * h @ U.T, 4, axis=1)
            i, f, o = 1 / (1 + np.exp(-np.array(ifo)))
            c = k[t] * f * c + i * np.tanh(g)
            y[t] = h = o * np.tanh(c)
        return y

    def forward(self, bottom, top):
        (W, U, b), steps, out = map(self.param_data, range(3)), self.recurrence, top[0].data.reshape(self.shape)
        self.cont[...] = bottom[1].data.reshape(self.cont.shape) != 0 if len(bottom) > 1 else 1
        if len(bottom) == 1:
            for start in self.cont[0], *(blob.data for blob in self.states):
                start[...] = 0
        first, self.cells[0] = (blob.data for blob in self.states)
        matmul(bottom[0].data.reshape(-1, W.shape[1]), W.T, steps.inputs.reshape(-1, len(W)))
        steps.constant[...] = b

        def cell(t, rows, z, h):
            cell_forward(z, self.cont[t, rows], self.cells[t, rows], self.gates[:, t, rows], self.cells[t + 1, rows],
                         self.squashed[t, rows], h)

        steps.forward(first, self.cont, U, out, cell)
        self.before[0], self.before[1:] = first, out[:-1]
        self.states[0].data[...], self.states[1].data[...] = out[-1], self.cells[-1]

    def backward(self, top, propagate_down, bottom):
        self.refuse_targets(propagate_down)
        exact, limit = self.options.gradient == self.options.EXACT, self.options.clipping_threshold
        U, steps, x = self.param_data(1), self.recurrence, bottom[0]
        with scratch(self.xp, (self.shape, self.dtype), (self.shape[1:], self.dtype)) as (through, dc):
            cell_slopes(self.gates, self.cells[:-1], self.squashed, steps.diffs, through)
            dc.fill(0)

            def cell(t, rows, dh, dz):
                cell_backward(self.gates[1, t, rows], through[t, rows], dh, dc[rows], dz)
                if limit > 0 and not exact:
                    self.xp.clip(dz, -limit, limit, out=dz)

            steps.backward(self.cont, U, top[0].diff.reshape(self.shape), cell)
        diffs, products = steps.diffs.reshape(-1, len(U)), []
        for i, rows in enumerate((x.data, steps.held if exact else self.before)):
            if self.param_propagate_down[i]:
                gradient = self.param_diff(i)
                products.append(Product(diffs.T, rows.reshape(len(diffs), gradient.shape[1]), gradient, add=True))
        if propagate_down[0]:
            W = self.param_data(0)
            products.append(Product(diffs, W, x.diff.reshape(len(diffs), W.shape[1])))
        multiply(*products)
        if self.param_propagate_down[2]:
            self.param_diff(2)[...] += diffs.sum(axis=0)
