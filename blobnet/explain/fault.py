"""A fault in the backward of one layer: what it writes is multiplied by a factor."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from blobnet.check.standalone import Standalone
from blobnet.core.blob import Blob
from blobnet.core.layer import Layer
from blobnet.core.net import Net
from blobnet.core.node import Node
from blobnet.errors import NetError


class Fault(NamedTuple):
    """The layer that has the fault, by its name, and the factor."""

    layer: str
    factor: float


def parse_break(text: str) -> Fault:
    """The fault that `text`, LAYER:FACTOR, asks for; NetError if it does not read so, or the factor is no number.

    >>> parse_break("ip1:1.5")
    Fault(layer='ip1', factor=1.5)
    """
    layer, colon, factor = text.rpartition(":")
    if not layer or not colon:
        raise NetError("--break", expected="LAYER:FACTOR, such as ip1:1.5", got=repr(text))
    try:
        number = float(factor)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise NetError("--break", expected=f"a finite number behind {layer!r}", got=repr(factor),
                       hint="LAYER:FACTOR, such as ip1:1.5 or ip1:-1")
    return Fault(layer, number)


def broken_node(net: Net, layer: str) -> Node:
    """The layer that is to have a fault; UnknownLayer with close matches, NetError if backward does not run it."""
    node = net.nodes[net.position(layer, "--break")]
    if not node.needs_backward:
        running = [other.layer.name for other in net.nodes if other.needs_backward and not other.layer.is_split]
        raise NetError(node.layer.where, "no gradient goes through it, so a fault there changes nothing",
                       hint=f"break one of {', '.join(running)}" if running else "a net has gradients if it has a loss")
    return node


@contextlib.contextmanager
def broken(net: Net, layer: str, factor: float) -> Iterator[None]:
    """Within the block, let what the backward of a layer of `net` writes be `factor` times what is right: the diffs of
    its bottoms, and what it adds to those of its parameters. Errors as those of `broken_node`.
    """
    with net.watched_by(_Breaker(broken_node(net, layer), factor)):
        yield


class _Breaker:
    """The watcher of a net that lays the fault over a layer, `node`."""

    def __init__(self, node: Node, factor: float):
        self.node, self.factor = node, factor
        self.bottoms = _each_memory_once([blob for blob, wanted in zip(node.bottoms, node.bottom_needs_backward)
                                          if wanted])
        self.before: list = []

    def before_backward(self, node: Node) -> None:
        if node is self.node:
            self.before = _diffs(node.layer)

    def after_backward(self, node: Node) -> None:
        if node is self.node:
            _scale_added(node.layer, self.before, self.factor)
            for blob in self.bottoms:
                blob.diff[...] *= self.factor


class Faulty(Standalone):
    """A layer without a net that has the fault, for the check."""

    def __init__(self, healthy: Standalone, factor: float):
        super().__init__(healthy.layer, healthy.values)
        self.parameters, self.factor = healthy.parameters, factor
        self.layer.reshape(self.bottom, self.top)

    def backward(self, top_diffs: Sequence[np.ndarray], propagate_down: Sequence[bool]) -> list[np.ndarray]:
        before = _diffs(self.layer)
        found = super().backward(top_diffs, propagate_down)
        _scale_added(self.layer, before, self.factor)
        return [self.factor * diff if wanted else diff for diff, wanted in zip(found, propagate_down, strict=True)]


def _each_memory_once(blobs: Iterable[Blob]) -> list[Blob]:
    """Those of some blobs whose diffs are in different memory."""
    return list({id(blob.diff_memory): blob for blob in blobs}.values())


def _diffs(layer: Layer) -> list:
    """Copies of the diffs of the parameters; 0 for those that backward overwrites."""
    return [0 if layer.overwrites else blob.diff.copy() for blob in _each_memory_once(layer.blobs)]


def _scale_added(layer: Layer, before: Sequence, factor: float) -> None:
    """Multiply what was added to the diffs of the parameters since they were `before`."""
    for blob, old in zip(_each_memory_once(layer.blobs), before, strict=True):
        blob.diff[...] = old + factor * (blob.diff - old)
