"""What ends a training or keeps a snapshot from being written: numbers that are not finite.

The errors name the first layer and blob where such a number is. In all functions `where` is the solver file, and
`iteration` counts the updates that were made. A solver with allow_nan calls none of them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from blobnet.core.net import Net
from blobnet.core.not_finite import all_finite, first_not_finite
from blobnet.errors import SolverError


def check_loss(net: Net, iteration: int, where: str, name: str = "the loss") -> None:
    """SolverError if the loss of the last forward pass of `net` is not finite; `name` is what the error calls it."""
    if not math.isfinite(net.loss):
        refuse(f"{name} is {net.loss:g}", net, iteration, where, diffs=False)


def check_gradients(net: Net, iteration: int, where: str) -> None:
    """SolverError if a gradient of a parameter of `net` is not finite."""
    if not all_finite(parameter.blob.diff for parameter in net.parameters):
        refuse("the gradients are not finite", net, iteration, where)


def check_rate(rate: float, iteration: int, where: str) -> None:
    """SolverError if the learning rate is not finite."""
    if not math.isfinite(rate):
        raise SolverError(where, f"the learning rate is {rate:g} at iteration {iteration}",
                          hint="look at lr_policy, gamma and power")


def check_means(means: Mapping[str, np.ndarray], net: Net, number: int, iteration: int, where: str) -> None:
    """SolverError if a mean output of a test is not finite: `means` by name, of test net `number`."""
    for name, mean in means.items():
        if not np.isfinite(mean).all():
            refuse(f"output {name!r} of test net #{number} is not finite", net, iteration, where, diffs=False)


def check_snapshot(net: Net, history: Sequence, iteration: int, where: str) -> None:
    """SolverError if a snapshot would hold a number that is not finite, in the weights of `net` or in `history`."""
    weights = [blob.data for layer in net.layers for blob in layer.blobs]
    if not all_finite([*weights, *history]):
        found = first_not_finite(net.nodes, diffs=False) or "the history of the solver"
        raise SolverError(where, f"no snapshot at iteration {iteration}: not all numbers are finite, {found}",
                          hint="earlier snapshots are whole; --allow-nan (allow_nan=True) writes it")


def refuse(problem: str, net: Net, iteration: int, where: str, diffs: bool = True) -> None:
    """Raise the SolverError that `refusal` makes."""
    raise refusal(problem, net, iteration, where, diffs)


def refusal(problem: str, net: Net, iteration: int, where: str, diffs: bool = True) -> SolverError:
    """The SolverError for `problem`, with the place of the first number in `net` that is not finite.

    `diffs`: whether to look for it in the diffs too, after the data.
    """
    found = first_not_finite(net.nodes, diffs)
    words = f"the first number that is not finite: {found}" if found else "all blobs are finite now, so it came from " \
        "an earlier batch or pass, or a sum grew too large"
    return SolverError(where, f"training stopped at iteration {iteration}: {problem}; {words}",
                       hint="lower base_lr or set clip_gradients; --allow-nan (allow_nan=True) goes on")
