"""Chains: neighbouring layers of a net that are computed together, while their numbers are in the cache.

A layer whose top other layers work on in place, right after it, may compute some of them besides: `Layer.join`. What
its blobs and theirs hold after a pass is what they would hold if each ran for itself, to rounding: the layers of a
chain have one top, which shows its last state. Whoever watches layer by layer sees them run for themselves, unless it
has `takes_chains = True` and is told of a Chain in the place of its nodes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from blobnet.core.joined import Joined
from blobnet.core.layer import Layer
from blobnet.core.node import Node


class Chain:
    """Nodes that run as one, with a Node's `forward` and `backward`. `layer`, which errors name, is the one at work."""

    def __init__(self, nodes: Sequence[Node], joined: Joined):
        self.nodes, self.joined = nodes, joined
        self.layer: Layer = nodes[0].layer

    @property
    def has_run(self) -> bool:
        """Whether its layers ran forward at least once."""
        return self.nodes[0].has_run

    @property
    def kind(self) -> str:
        """The types of its layers."""
        return " + ".join(node.layer.type for node in self.nodes)

    @property
    def multiply_adds(self) -> int:
        """Those of all its layers."""
        return sum(node.multiply_adds for node in self.nodes)

    def forward(self) -> None:
        """Run all forward, after they took up new shapes; none of them is a loss."""
        for node in self.nodes:
            self.layer = node.layer
            self.layer.update_shapes(node.bottoms, node.tops)
        first = self.nodes[0]
        self.layer = first.layer
        self.joined.forward(first.bottoms, first.tops)
        for node in self.nodes:
            node.has_run = True

    def backward(self) -> None:
        """Run all backward, if they have anything to do."""
        first = self.nodes[0]
        if first.needs_backward:
            self.joined.backward(first.tops, first.bottom_needs_backward, first.bottoms)


Step: TypeAlias = "Node | Chain"


def in_chains(nodes: Sequence[Node]) -> list[Step]:
    """The nodes in their order, with chains in the place of those that can be computed together."""
    steps: list[Step] = []
    start = 0
    while start < len(nodes):
        first = nodes[start]
        stop = start + 1
        while stop < len(nodes) and _continues(first, nodes[stop]):
            stop += 1
        joined = first.layer.join([node.layer for node in nodes[start + 1:stop]], first.needs_backward)
        count = 1 + (joined.followers if joined else 0)
        steps.append(Chain(nodes[start:start + count], joined) if joined else first)
        start += count
    return steps


def _continues(first: Node, other: Node) -> bool:
    """Whether `other` works in place on the one top of `first`, is no loss, and goes backward as `first` does."""
    blobs = {id(blob) for blob in (*first.tops, *other.bottoms, *other.tops)}
    runs = [(node.needs_backward, all(node.bottom_needs_backward) == node.needs_backward) for node in (first, other)]
    return len(blobs) == 1 and not any(first.layer.loss_weights + other.layer.loss_weights) and runs == [
        (first.needs_backward, True)] * 2


def between(steps: Sequence[Step], first: int, last: int) -> list[Step]:
    """The steps that run the layers number `first` to `last`: a chain that reaches beyond them is taken apart."""
    found: list[Step] = []
    for step in steps:
        nodes = step.nodes if isinstance(step, Chain) else [step]
        inside = [node for node in nodes if first <= node.layer.index <= last]
        found += [step] if len(inside) == len(nodes) else inside
    return found
