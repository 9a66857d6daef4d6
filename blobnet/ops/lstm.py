"""The cell of an LSTM.

`gates` (..., N, 4H) holds the input, forget and output gate and the candidate, i, f, o and g, H numbers each; `cont` is
(..., N, 1), the other arrays are (..., N, H). All have the same leading axes.
"""

from __future__ import annotations

from blobnet.backend import Array, array_module
from blobnet.ops.softmax import sigmoid


def cell_forward(gates: Array, cont: Array, last: Array, cell: Array, squashed: Array, out: Array) -> None:
    """One step: from the inputs of the gates and the `last` cell to `cell`, `squashed` = tanh(cell) and `out`.

    gates become i, f, o = sigmoid and g = tanh of their inputs, and f is multiplied by `cont`;
    cell = f * last + i * g,   out = o * squashed
    """
    xp, size = array_module(gates), cell.shape[-1]
    sigmoid(gates[..., :3 * size], gates[..., :3 * size])
    i, f, o, g = parts(gates, size)
    xp.tanh(g, out=g)
    f *= cont
    xp.multiply(f, last, out=cell)
    cell += xp.multiply(i, g, out=squashed)
    xp.tanh(cell, out=squashed)
    xp.multiply(o, squashed, out=out)


def gate_slopes(gates: Array, last: Array, squashed: Array, out: Array) -> None:
    """out (..., 4H): the derivatives of the cell by the inputs of i, f and g, and of the output by the input of o.

    `gates` are as `cell_forward` leaves them. All steps of a sequence can be computed in one call.
    """
    size = last.shape[-1]
    array_module(gates).subtract(1, gates, out=out)
    out *= gates
    i, _, _, g = parts(gates, size)
    by_i, by_f, by_o, by_g = parts(out, size)
    by_i *= g
    by_f *= last
    by_o *= squashed
    by_g += 1 - g  # g (1 - g) + (1 - g) = 1 - g^2
    by_g *= i


def cell_backward(gates: Array, squashed: Array, out_diff: Array, cell_diff: Array, slopes: Array) -> None:
    """One step back: from the gradients to `out` and `cell` to those to the inputs of the gates and the last cell.

    `cell_diff` becomes the gradient to the last cell; `slopes`, made by `gate_slopes`, that to the inputs of the gates.
    """
    size = out_diff.shape[-1]
    _, f, o, _ = parts(gates, size)
    through = 1 - squashed * squashed
    through *= o
    through *= out_diff
    cell_diff += through
    for part, diff in zip(parts(slopes, size), (cell_diff, cell_diff, out_diff, cell_diff)):
        part *= diff
    cell_diff *= f


def parts(gates: Array, size: int) -> list[Array]:
    """Views of the four parts of (..., 4 * size)."""
    return [gates[..., k * size:(k + 1) * size] for k in range(4)]
