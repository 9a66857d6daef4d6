"""The lines that report a net's outputs, in the words that parsers of Caffe's logs look for."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping

from blobnet.backend import to_host
from blobnet.core.net import Net

iterations = logging.getLogger("blobnet.solvers.iterations")  # what a progress bar shows in another way


def output_lines(kind: str, net: Net, values: Mapping[str, object]) -> Iterator[str]:
    """A line for every element of every output in `values`; outputs with a loss weight show the weighted loss too.

    `kind` is "Train" or "Test". Elements are numbered through all outputs.
    """
    weights, number = loss_weights(net), 0
    for name, array in values.items():
        weight = weights.get(name, 0)
        for value in to_host(array).reshape(-1).tolist():
            yield f"    {kind} net output #{number}: {name} = {value:g}{loss_note(weight, value)}"
            number += 1


def loss_weights(net: Net) -> dict[str, float]:
    """The loss weight of every top by its name, 0 where it is no loss."""
    return {top: weight for layer in net.layers for top, weight in zip(layer.param.top, layer.loss_weights)}


def loss_note(weight: float, value: float) -> str:
    """What follows the value of an output: its weight and its weighted loss, nothing if it is no loss."""
    return f" (* {weight:g} = {weight * value:g} loss)" if weight else ""
