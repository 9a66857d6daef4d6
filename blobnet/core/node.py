"""Node: a layer at its place in a net."""

from __future__ import annotations

import dataclasses

from blobnet.core.blob import Blob
from blobnet.core.layer import Layer


@dataclasses.dataclass(eq=False)
class Node:
    """A layer with its blobs, which is what a net runs and what it tells its watchers of.

    layer: the layer; layer.index is its number in the net, from 0. bottoms and tops: its blobs, the tops with those
    that have no name. needs_backward: whether a backward pass runs it; bottom_needs_backward: which of its bottoms get
    a diff then, one a bottom. has_run: it ran forward at least once.
    """

    layer: Layer
    bottoms: list[Blob]
    tops: list[Blob]
    needs_backward: bool = False
    bottom_needs_backward: list[bool] = dataclasses.field(default_factory=list)
    has_run: bool = False

    @property
    def kind(self) -> str:
        """The type of the layer."""
        return self.layer.type

    @property
    def multiply_adds(self) -> int:
        """Those of its forward, as `LayerType.multiply_adds` counts them."""
        return self.layer.multiply_adds(self.bottoms, self.tops)

    @property
    def bottom_names(self) -> list[str]:
        """The names of the bottoms."""
        return list(self.layer.param.bottom)

    @property
    def top_names(self) -> list[str]:
        """The names of the tops, with a word for those that have none."""
        names = list(self.layer.param.top)
        return names + ["(automatic)"] * (len(self.tops) - len(names))

    def forward(self):
        """Run the layer forward, after it took up new shapes; return its part of the loss, if it has any."""
        self.layer.update_shapes(self.bottoms, self.tops)
        self.layer.forward(self.bottoms, self.tops)
        self.has_run = True
        return self.layer.loss(self.tops) if any(self.layer.loss_weights) else None

    def backward(self) -> None:
        """Run the layer backward, if it has anything to do."""
        if self.needs_backward:
            self.layer.backward(self.tops, self.bottom_needs_backward, self.bottoms)
