"""The lines that report a net's outputs, in the words that parsers of Caffe's logs look for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np


def output_lines(kind: str, values: Mapping[str, np.ndarray], weights: Mapping[str, float]) -> Iterator[str]:
    """A line for every element of every output in `values`, arrays by name.

    kind: "Train" or "Test". weights: the loss weights by name; where an output has one, its lines show the weighted
    loss too. Elements are numbered through all outputs.
    """
    number = 0
    for name, array in values.items():
        for value in array.reshape(-1).tolist():
            yield f"    {kind} net output #{number}: {name} = {value:g}{loss_note(weights.get(name, 0), value)}"
            number += 1


def loss_note(weight: float, value: float) -> str:
    """What follows the value of an output that is a loss: its weight and its weighted loss. Nothing if weight is 0."""
    return f" (* {weight:g} = {weight * value:g} loss)" if weight else ""
