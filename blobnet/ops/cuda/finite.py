"""Numbers that are not finite, noted as doubts of a net without waiting for the device."""

from __future__ import annotations

from blobnet.backend import Array, Doubts
from blobnet.backend.doubts import Error
from blobnet.ops.cuda.launch import launch


def keep_loss(loss: Array, ring: Array, doubts: Doubts, error: Error | None) -> None:
    """Keep `loss`, a scalar of the device, in ring (size), float64, at the place doubts.passes % size; count the pass.

    `error` makes the error of a loss that is not finite; without it none is wrong.
    """
    slot = doubts.slot("the loss", error) if error else None
    launch("keep_loss", 1, loss, ring, ring.size, error is not None, doubts.state, slot)
    doubts.passes += 1


def check_finite(dx: Array, doubts: Doubts, number: int, error: Error) -> None:
    """Note the first of the gradients `dx`, part `number` of all, that is not finite, after the loss was kept."""
    launch("check_finite", dx.size, dx, doubts.state, doubts.slot(("gradients", number), error), dx.size)
