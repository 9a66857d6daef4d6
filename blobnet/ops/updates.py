"""What is done to the gradients of all parameters, which lie in one flat array, before they are used."""

from __future__ import annotations

import math

from blobnet.backend import Array, twin

# The numbers of an iteration, float64, as the kernels of ops/cuda/updates.cu read them: the rate; two corrections whose
# meaning is the solver type's; the factor of the gradients.
RATE, FIRST, SECOND, FACTOR = range(4)


@twin("blobnet.ops.cuda.updates")
def clip_gradients(gradients: Array, limit: float, step: Array) -> None:
    """Let the factor in the numbers `step` scale the L2 norm of the gradients down to `limit` as well.

    Nothing changes if the norm is not above the limit, or is NaN, which no factor mends.
    """
    norm = math.sqrt(float(gradients.dot(gradients)))
    if norm > limit:
        step[FACTOR] *= limit / norm
