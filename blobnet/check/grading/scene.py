"""The scene of a comparison: the layer that is right, what it is given, and what it says to other gifts."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from functools import cached_property

import numpy as np
from google.protobuf.message import Message

from blobnet.check.gradient import learns
from blobnet.check.grading.passes import Pass, build, parameters_of, run, same
from blobnet.check.standalone import Standalone, exact_gradient, read_layer
from blobnet.core.context import TRAIN
from blobnet.core.registry import class_of

LOSS_WEIGHT = 1.37  # no number that stands in a formula


@dataclasses.dataclass
class Scene:
    """The LayerParameter of the right layer, its bottoms, its parameters and the diffs of its tops."""

    param: Message
    values: list[np.ndarray]
    parameters: list[np.ndarray] = dataclasses.field(default_factory=list)
    phase: int = TRAIN

    def build(self, param: Message | None = None, values: Sequence[np.ndarray] | None = None,
              parameters: Sequence[np.ndarray] | None = None, phase: int | None = None) -> Standalone:
        """The right layer; what is given stands in the place of what the scene has."""
        return build(param or self.param, self.values if values is None else values,
                     self.parameters if parameters is None else parameters, self.phase if phase is None else phase)

    @cached_property
    def alone(self) -> Standalone:
        return self.build()

    @cached_property
    def is_loss(self) -> bool:
        return any(self.alone.layer.loss_weights)

    @cached_property
    def draws(self) -> bool:
        """Whether it draws random numbers, so that another step gives others."""
        alone = self.build()
        first = alone.forward()
        alone.layer.context.step = 1
        return not all(same(a, b) for a, b in zip(first, alone.forward(), strict=True))

    @cached_property
    def dy(self) -> list[np.ndarray]:
        """What the tops' diffs are: normal numbers, or of a loss its weight."""
        rng, layer, tops = np.random.default_rng(7), self.alone.layer, self.alone.forward()
        if self.is_loss:
            return [np.full(top.shape, LOSS_WEIGHT if weight else 0.0)
                    for top, weight in zip(tops, layer.loss_weights, strict=True)]
        return [rng.normal(size=top.shape) for top in tops]

    @cached_property
    def wanted(self) -> list[bool]:
        """For each bottom whether it gets a gradient."""
        return self.alone.differentiable()

    @cached_property
    def learning(self) -> list[bool]:
        """For each parameter whether it gets a gradient."""
        return [learns(self.alone.layer, i) for i in range(len(self.alone.layer.blobs))]

    @property
    def has_backward(self) -> bool:
        return any(self.wanted)

    def play(self, dy: Sequence[np.ndarray] | None = None, between: Callable[[Standalone], None] | None = None,
             **others) -> Pass:
        """A run of the right layer, with other arguments of `build` if they are given."""
        alone = self.build(**others)
        fits = [top.shape for top in alone.top] == [part.shape for part in self.dy]
        if not self.has_backward or not fits:
            return Pass(alone.forward(), [], [], parameters_of(alone))
        return run(alone, self.dy if dy is None else dy, self.wanted, between=between)

    @cached_property
    def answers(self) -> list[Pass]:
        """What is right; and if the published gradient is not the derivative, the derivative after it."""
        param = read_layer(self.param)
        exact = exact_gradient(param, class_of(param))
        return [self.play(), *([self.play(param=param)] if exact else [])]
