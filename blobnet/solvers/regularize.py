"""What happens to gradients before a solver sees them: clipping and weight decay."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Sequence

from blobnet.backend import array_module, single_threaded_blas
from blobnet.core.parameters import Parameter

log = logging.getLogger(__name__)


def clip_factor(parameters: Sequence[Parameter], limit: float) -> float:
    """The factor that scales the L2 norm of all gradients together down to `limit`; 1 if the norm is not above it.

    A negative `limit` means that there is none. With iter_size, the norm is taken of the sum of the gradients, not of
    their mean, as in Caffe.
    """
    if limit < 0 or not parameters:
        return 1.0
    with single_threaded_blas():  # whose sums are repeatable
        squares = sum(_square_sum(parameter.blob.diff.reshape(-1)) for parameter in parameters)
    norm = math.sqrt(float(squares))
    if not norm > limit:  # also for NaN, which no factor mends
        return 1.0
    log_clipping(limit / norm, limit)
    return limit / norm


def log_clipping(factor: float, limit: float) -> None:
    """Log that the gradients are scaled by `factor`, if it is below 1, down to the norm `limit`."""
    if factor < 1:
        log.info("Gradient clipping: scaling down gradients (L2 norm %g > %g) by scale factor %g",
                 limit / factor if factor else math.inf, limit, factor)


def _square_sum(array):
    return array_module(array).dot(array, array)


# Each adds the derivative of `decay` times a norm of the values to the gradient. All arrays are flat, of one length.

def decay_l2(decay: float, data, gradient, scratch) -> None:
    """gradient += decay * data, the derivative of decay / 2 * ||data||^2"""
    array_module(data).multiply(data, decay, out=scratch)
    gradient += scratch


def decay_l1(decay: float, data, gradient, scratch) -> None:
    """gradient += decay * sign(data), the derivative of decay * ||data||_1"""
    array_module(data).sign(data, out=scratch)
    scratch *= decay
    gradient += scratch


REGULARIZERS: dict[str, Callable] = {"L2": decay_l2, "L1": decay_l1}
