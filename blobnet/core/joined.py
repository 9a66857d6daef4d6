"""Joined: a layer and some that work in place on its top, computed together. core/chain.py says when."""

from __future__ import annotations

from collections.abc import Sequence

from blobnet.core.blob import Blob

SCALE = "scale"          # y = a x + b, with learned a (C) and b (C) or no b
RECTIFIER = "rectifier"  # y = max(x, 0)


class Joined:
    """How a layer is computed together with `followers` others, as many of those that were offered.

    `forward` and `backward` have the arguments of the first one's.
    """

    followers: int

    def forward(self, bottom: Sequence[Blob], top: Sequence[Blob]) -> None:
        """Compute the data of the top."""
        raise NotImplementedError

    def backward(self, top: Sequence[Blob], propagate_down: Sequence[bool], bottom: Sequence[Blob]) -> None:
        """Compute the diff of the bottom and add to those of the parameters of all layers."""
        raise NotImplementedError
