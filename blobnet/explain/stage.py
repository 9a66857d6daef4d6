"""A net on a small batch, with copies of all that its passes computed, layer by layer."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace

import numpy as np

from blobnet.backend import single_threaded_blas
from blobnet.check.standalone import Standalone
from blobnet.core.net import Net
from blobnet.core.node import Node


@dataclasses.dataclass(eq=False)
class Value:
    """What a layer made: a top's data, and its diff (None if no gradient reaches it).

    layer: the index of the layer, and top the number of the top. A layer that works in place makes a value of its own.
    readers: (index of a layer, number of a bottom); what Split layers hand on is the value itself.
    """

    name: str
    layer: int
    top: int
    data: np.ndarray = dataclasses.field(default_factory=lambda: np.zeros(0))
    diff: np.ndarray | None = None
    readers: list[tuple[int, int]] = dataclasses.field(default_factory=list)


@dataclasses.dataclass(eq=False)
class Scene:
    """A layer at work: its node; the numbers of the values that it reads and makes; the diffs that it hands down, None
    for bottoms that get none; what it added to the diffs of its parameters."""

    node: Node
    bottoms: list[int]
    tops: list[int]
    bottom_diffs: list[np.ndarray | None] = dataclasses.field(default_factory=list)
    param_diffs: list[np.ndarray] = dataclasses.field(default_factory=list)


class Stage:
    """A net whose inputs are filled, and after `run` the values and scenes of its passes; scenes by layer index.

    step: the forward pass that is run, by default the one that comes next.
    """

    def __init__(self, net: Net, step: int | None = None):
        self.net, self.step = net, net.context.step if step is None else step
        self.values: list[Value] = []
        self.scenes: dict[int, Scene] = {}
        self._plan()

    def _plan(self) -> None:
        made: dict[int, int] = {}  # value by blob
        for index, node in enumerate(self.net.nodes):
            bottoms = [made[id(blob)] for blob in node.bottoms]
            if node.layer.is_split:
                made.update((id(blob), bottoms[0]) for blob in node.tops)
                continue
            for number, value in enumerate(bottoms):
                self.values[value].readers.append((index, number))
            tops = []
            for number, (name, blob) in enumerate(zip(node.top_names, node.tops)):
                tops.append(len(self.values))
                made[id(blob)] = len(self.values)
                self.values.append(Value(name, index, number))
            self.scenes[index] = Scene(node, bottoms, tops)

    def run(self) -> float:
        """Forward and backward with the same random numbers each time; return the loss."""
        self.net.seek(self.step)
        self.net.clear_param_diffs()
        before: list[np.ndarray] = []

        def keep_tops(node: Node) -> None:
            if scene := self.scenes.get(node.layer.index):
                for value, blob in zip(scene.tops, node.tops):
                    self.values[value].data = blob.data.copy()

        def keep_diffs(node: Node) -> None:
            if scene := self.scenes.get(node.layer.index):
                for number, (value, blob) in enumerate(zip(scene.tops, node.tops)):
                    self.values[value].diff = blob.diff.copy() if self._gets_diff(value, number, node) else None
                before[:] = [blob.diff.copy() for blob in node.layer.blobs]

        def keep_slopes(node: Node) -> None:
            if scene := self.scenes.get(node.layer.index):
                slopes = zip(node.bottoms, node.bottom_needs_backward, node.layer.differentiable(len(node.bottoms)))
                scene.bottom_diffs = [blob.diff.copy() if wanted and has and node.needs_backward else None
                                      for blob, wanted, has in slopes]
                scene.param_diffs = [blob.diff - old for blob, old in zip(node.layer.blobs, before)]

        with self.net.watched_by(SimpleNamespace(after_forward=keep_tops, before_backward=keep_diffs,
                                                 after_backward=keep_slopes)):
            self.net.forward()
            self.net.backward()
        return self.net.loss

    def _gets_diff(self, value: int, number: int, node: Node) -> bool:
        readers = [(self.net.nodes[index], bottom) for index, bottom in self.values[value].readers]
        asked = any(reader.needs_backward and reader.bottom_needs_backward[bottom] for reader, bottom in readers)
        return asked or bool(node.layer.loss_weights[number])

    @contextmanager
    def replay(self, index: int) -> Iterator[Standalone]:
        """The layer `index` after a forward on copies of what it read, not in place, with the diffs of its tops."""
        scene = self.scenes[index]
        self.net.seek(self.step)
        with single_threaded_blas(), self.net.context.in_use():
            alone = Standalone(scene.node.layer, [self.values[value].data for value in scene.bottoms], apart=True)
            kept = [blob.data.copy() for blob in scene.node.layer.blobs]
            scene.node.layer.reshape(alone.bottom, alone.top)
            try:
                alone.forward()
                for blob, diff in zip(alone.top, self.top_diffs(index)):
                    blob.diff[...] = diff
                yield alone
            finally:
                for blob, data in zip(scene.node.layer.blobs, kept):
                    blob.data[...] = data
                scene.node.layer.reshape(scene.node.bottoms, scene.node.tops)

    def top_diffs(self, index: int) -> list[np.ndarray]:
        """The diffs of the tops of a layer, 0 where none comes."""
        values = [self.values[value] for value in self.scenes[index].tops]
        return [np.zeros_like(value.data) if value.diff is None else value.diff for value in values]
