"""What is kept of a training: curves, and frames at some of its steps."""

from __future__ import annotations

import dataclasses
from typing import Any

Curve = list[tuple[int, float]]  # (iteration, value)


@dataclasses.dataclass
class Series:
    """One number of a parameter at every chosen step. layer: layer.index; param: the parameter's number in its layer;
    name: both in words."""

    layer: int
    param: int
    name: str
    values: list[float] = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class Training:
    """What was seen of a training, by its iterations, which count the updates made before.

    steps: the iterations before which `frames` were taken, and last the one that would come next. loss and rate: at
    most 1,000 points each; outputs: those of the training net that are a single number, likewise, by name. tests: the
    mean outputs of the test nets at `steps`, by name, with "#1" behind those of the second test net, and so on.
    gradient_norms: L2 norms of the gradients; update_ratios: the root mean square of the update, in parts of that of
    the values before it, nan for values that are all 0; both one a step, of the iteration that begins there, at the end
    of the last one, nan where that was not finished. stopped: the error that ended the training early, or "".
    """

    steps: list[int] = dataclasses.field(default_factory=list)
    frames: list[Any] = dataclasses.field(default_factory=list)
    loss: Curve = dataclasses.field(default_factory=list)
    rate: Curve = dataclasses.field(default_factory=list)
    outputs: dict[str, Curve] = dataclasses.field(default_factory=dict)
    tests: dict[str, Curve] = dataclasses.field(default_factory=dict)
    gradient_norms: list[Series] = dataclasses.field(default_factory=list)
    update_ratios: list[Series] = dataclasses.field(default_factory=list)
    stopped: str = ""
