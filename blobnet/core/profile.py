"""Profile: a watcher that measures how long the layers of a net take."""

from __future__ import annotations

import dataclasses
import time
from types import ModuleType

import numpy as np

from blobnet.core.chain import Step
from blobnet.core.layer import Layer
from blobnet.log.table import table

SIDE = 1024  # of the matrices of a large product


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
    gradient is needed. Layers that run as a chain count as its first one, whose `kinds` has the types of all. The table
    sets layers with weights beside `products`: the ms that their multiplications and additions, three times those of
    forward if backward ran, take as one large matrix product. On a GPU every layer is waited for, so passes are slower
    than without a profile.
    """

    takes_chains = True

    def __init__(self) -> None:
        self.forward: dict[Layer, Time] = {}
        self.backward: dict[Layer, Time] = {}
        self.kinds: dict[Layer, str] = {}
        self._work: dict[Layer, int] = {}
        self.forward_pass, self.backward_pass = Time(), Time()
        self._pass_began = self._layer_began = time.perf_counter()

    def before_forward_pass(self, whole: bool) -> None:
        self._pass_began = time.perf_counter()

    def before_forward(self, node: Step) -> None:
        self._layer_began = time.perf_counter()

    def after_forward(self, node: Step) -> None:
        _wait(node.layer.xp)
        self.forward.setdefault(node.layer, Time()).add(time.perf_counter() - self._layer_began)
        self.kinds[node.layer], self._work[node.layer] = node.kind, node.multiply_adds

    def after_forward_pass(self, whole: bool) -> None:
        self.forward_pass.add(time.perf_counter() - self._pass_began)

    before_backward_pass, before_backward = before_forward_pass, before_forward

    def after_backward(self, node: Step) -> None:
        _wait(node.layer.xp)
        self.kinds[node.layer] = node.kind
        self.backward.setdefault(node.layer, Time()).add(time.perf_counter() - self._layer_began)

    def after_backward_pass(self, whole: bool) -> None:
        self.backward_pass.add(time.perf_counter() - self._pass_began)

    def rows(self) -> list[tuple[str, ...]]:
        """The table's rows: the heads, the layers, and all together. ms are means; a share is of the time of all."""
        both = self.forward_pass.seconds + self.backward_pass.seconds

        def row(name: str, kind: str, forward: Time, backward: Time, product: float) -> tuple[str, ...]:
            share = (forward.seconds + backward.seconds) / both if both else 0
            return (name, kind, f"{forward.ms:.3f}", str(forward.calls), f"{backward.ms:.3f}", str(backward.calls),
                    f"{product:.3f}" if product else "", f"{share:.1%}")

        layers, products = sorted({*self.forward, *self.backward}, key=lambda layer: layer.index), self.products()
        return [("layer", "type", "forward ms", "calls", "backward ms", "calls", "product ms", "share"),
                *(row(layer.name, self.kinds[layer], self.forward.get(layer, Time()), self.backward.get(layer, Time()),
                      products.get(layer, 0)) for layer in layers),
                row("all", "", self.forward_pass, self.backward_pass, sum(products.values()))]

    def products(self) -> dict[Layer, float]:
        """By layer with weights the ms of a matrix product, run now on its device, of as many multiply-adds."""
        if not any(self._work.values()):
            return {}
        xp = next(iter(self._work)).xp
        a, seconds = xp.ones((SIDE, SIDE), "float32"), []
        for _ in range(9):
            began = time.perf_counter()
            xp.matmul(a, a)
            _wait(xp)
            seconds.append(time.perf_counter() - began)
        each = min(seconds) / SIDE ** 3
        return {layer: 1e3 * each * work * (3 if self.backward.get(layer) else 1)
                for layer, work in self._work.items() if work}

    def __str__(self) -> str:
        return table(self.rows(), left=(0, 1))


def _wait(xp: ModuleType) -> None:
    """Until the GPU has done what it was given."""
    if xp is not np:
        xp.cuda.get_current_stream().synchronize()
