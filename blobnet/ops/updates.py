"""What a solver asks of the gradients of all parameters, which lie in one flat array, before it uses them."""

from __future__ import annotations

import math

import numpy as np

from blobnet.backend import Array, Wrong, twin
from blobnet.backend.doubts import Error

# The numbers of an iteration, float64, as the kernels of ops/cuda/updates.cu read them: the rate; two corrections whose
# meaning is the solver type's; the factor of the gradients.
RATE, FIRST, SECOND, FACTOR = range(4)


@twin("blobnet.ops.cuda.updates")
def judge(gradients: Array, limit: float, step: Array, error: Error | None) -> None:
    """Let the factor in the numbers `step` scale the L2 norm of the gradients down to `limit`, if it is above it.

    A negative `limit` means that there is none. A gradient that is not finite is a doubt with that error (None: it is
    none; see backend/doubts.py).
    """
    finite = np.isfinite(gradients)
    if error is not None and not finite.all():
        place = int(finite.argmin())
        raise error(Wrong(place, float(gradients[place]), 0))
    norm = math.sqrt(float(gradients.dot(gradients)))
    if 0 <= limit < norm:
        step[FACTOR] *= limit / norm
