"""Gradients that vanish or explode on their way from the loss."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from blobnet.explain.seen import Mark, Seen, rms

VANISHING = 1e-4  # of the largest nearer to the loss: steps so much smaller change nothing that one sees
EXPLODING = 1e3   # times the median, and the one nearest to the loss: no learning rate suits both


class _Gradient(NamedTuple):
    layer: int
    name: str
    size: float  # root mean square


def gradient_marks(nodes: Sequence[Seen], names: Mapping[str, str]) -> list[tuple[int, Mark]]:
    """The gradients of a net that vanish or explode, each with the layer.index of its layer.

    nodes: its layers in their order, without splits; names: as of `before_splits`. Gradients of bottoms are compared
    with each other; those of parameters too, the first ones (weights), the second ones (biases), and so on.
    """
    return [item for group in _groups(nodes, names) for item in _compared(group)]


def _groups(nodes: Sequence[Seen], names: Mapping[str, str]) -> list[list[_Gradient]]:
    """The gradients that are compared with each other, in the order of their layers."""
    bottoms: list[_Gradient] = []
    params: dict[int, list[_Gradient]] = {}
    for seen in nodes:
        index = seen.layer.index
        bottoms += [_Gradient(index, f"bottom {names.get(name, name)!r}", rms(diff))
                    for name, diff in zip(seen.layer.param.bottom, seen.bottom_diffs) if diff is not None]
        for i, diff in enumerate(seen.param_diffs):
            if diff is not None:
                params.setdefault(i, []).append(_Gradient(index, f"parameter {i}", rms(diff)))
    return [bottoms, *params.values()]


def _compared(group: Sequence[_Gradient]) -> list[tuple[int, Mark]]:
    """Which of some gradients, in the order of their layers, vanish or explode on their way from the loss."""
    finite = [gradient.size for gradient in group if gradient.size and math.isfinite(gradient.size)] or [0.0]
    found, largest, median = [], 0.0, float(np.median(finite))
    for layer, name, size in reversed(group):
        if not math.isfinite(size):
            found.append((layer, Mark("exploding", f"The gradient of its {name} is not finite: an update with it "
                                      "destroys the parameters.")))
            continue
        if 0 < size < VANISHING * largest:
            found.append((layer, Mark("vanishing", f"The gradient of its {name} has the size {size:.1e}, {largest:.1e} "
                                      "nearer to the loss: next to nothing of the loss comes here.")))
        elif size > EXPLODING * max(median, finite[-1]):
            found.append((layer, Mark("exploding", f"The gradient of its {name} has the size {size:.1e}, "
                                      f"{size / median:.0e} times the median of the net: it grows on its way from the "
                                      "loss, and no learning rate suits all layers.")))
        largest = max(largest, size)
    return found
