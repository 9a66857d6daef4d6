"""What a solver asks of the gradients of all parameters, which lie in one flat array, before it uses them."""

from __future__ import annotations

import math

import numpy as np

from blobnet.backend import Array, twin

# The numbers of an iteration, float64, as the kernels read them: its number; the rate; two corrections, whose meaning
# is the solver type's; the factor of the gradients; and 1 + the iteration whose update was the first not to be made.
ITERATION, RATE, FIRST, SECOND, FACTOR, UNDONE = range(6)


@twin("blobnet.ops.cuda.updates")
def judge(gradients: Array, limit: float, size: int, step: Array, doubt: Array | None, doubts: Array | None) -> None:
    """Write into the numbers `step` by what the gradients are multiplied, and whether there may be an update.

    The factor is 1 / size, and less if the L2 norm of the gradients is above `limit`, which is negative for none. The
    first gradient that is not finite is noted in the slot `doubt` (see backend/doubts.py) with the iteration; None if
    nobody wants to know. No update is to be made while any of the slots `doubts` is written.
    """
    norm = math.sqrt(float(gradients.dot(gradients)))
    step[FACTOR] = (limit / norm if 0 <= limit < norm else 1) / size
    finite = np.isfinite(gradients)
    if doubt is not None and not doubt[0] and not finite.all():
        doubt[:] = finite.argmin() + 1, step[ITERATION]
    if doubts is None or not doubts[:, 0].any():
        step[UNDONE] = 0
    elif not step[UNDONE]:
        step[UNDONE] = step[ITERATION] + 1
