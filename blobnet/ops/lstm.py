"""The cell of an LSTM, for N sequences with states of H numbers.

`z` (N, 4H) are the inputs of the input, forget and output gate and the candidate, i, f, o and g, in the order of the
rows of the weights, which `gates` (4, N, H) holds, each contiguous. `cont` is (N, 1), the other arrays are (N, H).
"""

from __future__ import annotations

from blobnet.backend import Array, array_module, cut_array, share
from blobnet.ops.recurrence import tanh_slopes
from blobnet.ops.softmax import sigmoid


def by_gate(z: Array) -> Array:
    """(..., N, 4H) as (4, ..., N, H), a view."""
    apart = z.reshape(*z.shape[:-1], 4, z.shape[-1] // 4)
    return apart.transpose(apart.ndim - 2, *range(apart.ndim - 2), apart.ndim - 1)


def cell_forward(z: Array, cont: Array, last: Array, gates: Array, cell: Array, squashed: Array, out: Array) -> None:
    """One step: from z and the `last` cell to the gates, `cell`, `squashed` = tanh(cell) and `out`.

    i, f, o = sigmoid and g = tanh of z, f is multiplied by `cont`;   cell = f * last + i * g,   out = o * squashed
    """
    xp, (i, f, o, g), inputs = array_module(gates), gates, by_gate(z)
    sigmoid(inputs[:3], gates[:3])
    xp.tanh(inputs[3], out=g)
    f *= cont
    xp.multiply(f, last, out=cell)
    cell += xp.multiply(i, g, out=squashed)
    xp.tanh(cell, out=squashed)
    xp.multiply(o, squashed, out=out)


def cell_slopes(gates: Array, last: Array, squashed: Array, slopes: Array, through: Array) -> None:
    """The derivatives that `cell_backward` wants; all steps may be an axis before N.

    slopes (…, N, 4H): of the cell by the z of i, f and g, of the output by that of o; through: of the output by the
    cell. The gates are as `cell_forward` leaves them.
    """
    xp = array_module(gates)

    def part(some: slice) -> None:
        (i, f, o, g), (*by_ifo, by_g), term = gates[:, some], by_gate(slopes[some]), through[some]
        for gate, factor, by in zip((i, f, o), (g, last[some], squashed[some]), by_ifo):
            xp.subtract(1, gate, out=term)
            term *= gate
            xp.multiply(term, factor, out=by)
        tanh_slopes(g, term)
        xp.multiply(term, i, out=by_g)
        tanh_slopes(squashed[some], term)
        term *= o

    share(part, cut_array(through))


def cell_backward(f: Array, through: Array, out_diff: Array, cell_diff: Array, slopes: Array) -> None:
    """One step back: from the gradients to `out` and `cell` to those to z and the last cell.

    `cell_diff` becomes the gradient to the last cell; `slopes`, made by `cell_slopes`, that to z; `through` is lost.
    """
    through *= out_diff
    cell_diff += through
    for part, diff in zip(by_gate(slopes), (cell_diff, cell_diff, out_diff, cell_diff)):
        part *= diff
    cell_diff *= f
