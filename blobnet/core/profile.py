"""Profile: a watcher that measures how long the layers of a net take."""

from __future__ import annotations

import dataclasses
import time
from types import ModuleType

import numpy as np

from blobnet.core.layer import Layer
from blobnet.core.node import Node
from blobnet.log.table import table


@dataclasses.dataclass
class Time:
    """How often something ran, and how many seconds all its runs took."""

    calls: int = 0
    seconds: float = 0.0

    @property
    def ms(self) -> float:
        """The mean milliseconds of a run; 0 if there was none."""
        return 1e3 * self.seconds / max(self.calls, 1)

    def add(self, seconds: float) -> None:
        """Count one run more."""
        self.calls, self.seconds = self.calls + 1, self.seconds + seconds


class Profile:
    """The times of all layers and passes since it began to watch; printed, a table.

        profile = Profile()
        with solver.net.watched_by(profile):
            solver.step(20)
        print(profile)

    forward and backward: a Time by layer, in the order of running; forward_pass and backward_pass: those of whole
    passes. A layer's forward takes up new shapes and adds up its loss; its backward is next to nothing where no
    gradient is needed. On a GPU every layer is waited for, so passes are slower than without a profile.
    """

    def __init__(self) -> None:
        self.forward: dict[Layer, Time] = {}
        self.backward: dict[Layer, Time] = {}
        self.forward_pass, self.backward_pass = Time(), Time()
        self._pass_began = self._layer_began = time.perf_counter()

    def before_forward_pass(self, whole: bool) -> None:
        self._pass_began = time.perf_counter()

    def before_forward(self, node: Node) -> None:
        self._layer_began = time.perf_counter()

    def after_forward(self, node: Node) -> None:
        _wait(node.layer.xp)
        self.forward.setdefault(node.layer, Time()).add(time.perf_counter() - self._layer_began)

    def after_forward_pass(self, whole: bool) -> None:
        self.forward_pass.add(time.perf_counter() - self._pass_began)

    before_backward_pass, before_backward = before_forward_pass, before_forward

    def after_backward(self, node: Node) -> None:
        _wait(node.layer.xp)
        self.backward.setdefault(node.layer, Time()).add(time.perf_counter() - self._layer_began)

    def after_backward_pass(self, whole: bool) -> None:
        self.backward_pass.add(time.perf_counter() - self._pass_began)

    def rows(self) -> list[tuple[str, ...]]:
        """The table's rows: the heads, the layers, and all together. ms are means; a share is of the time of all."""
        both = self.forward_pass.seconds + self.backward_pass.seconds

        def row(name: str, kind: str, forward: Time, backward: Time) -> tuple[str, ...]:
            share = (forward.seconds + backward.seconds) / both if both else 0
            return (name, kind, f"{forward.ms:.3f}", str(forward.calls), f"{backward.ms:.3f}", str(backward.calls),
                    f"{share:.1%}")

        layers = sorted({*self.forward, *self.backward}, key=lambda layer: layer.index)
        return [("layer", "type", "forward ms", "calls", "backward ms", "calls", "share"),
                *(row(layer.name, layer.type, self.forward.get(layer, Time()), self.backward.get(layer, Time()))
                  for layer in layers),
                row("all", "", self.forward_pass, self.backward_pass)]

    def __str__(self) -> str:
        return table(self.rows(), left=(0, 1))


def _wait(xp: ModuleType) -> None:
    """Until the GPU has done what it was given."""
    if xp is not np:
        xp.cuda.get_current_stream().synchronize()
