"""How the layers of a net hang together: the ways from them to the loss, and what splits split."""

from __future__ import annotations

from collections.abc import Sequence

from blobnet.core.layer import Layer

NO_LOSS = "no loss is behind it"
CUT = "a layer on the way to the loss hands no gradient down (propagate_down: false, or a bottom that takes none)"


def ways_to_loss(layers: Sequence[Layer]) -> list[str]:
    """For each of the layers of a net, with its splits and in their order, why no gradient comes to it.

    NO_LOSS, CUT, or "" where one does. A gradient ends at a bottom with propagate_down: false, or one that takes none
    by its nature, such as labels.
    """
    of_blob: dict[str, str] = {}
    found = []
    for layer in reversed(layers):
        here = [of_blob.pop(name, NO_LOSS) for name in layer.param.top] + [""] * any(layer.loss_weights)
        way = min(here, key=["", CUT, NO_LOSS].index, default=NO_LOSS)
        found.append(way)
        for i, name in enumerate(layer.param.bottom):
            of_blob[name] = CUT if way == "" and not _hands_down(layer, i) else way
    return found[::-1]


def before_splits(layers: Sequence[Layer]) -> dict[str, str]:
    """For each blob that a split makes the name of the blob that it splits, which is the one that the user wrote."""
    return {top: layer.param.bottom[0] for layer in layers if layer.is_split for top in layer.param.top}


def _hands_down(layer: Layer, i: int) -> bool:
    """Whether a layer that runs backward gives its bottom i a gradient."""
    wishes = list(layer.param.propagate_down)
    if wishes and not layer.ignores_propagate_down:
        return wishes[i]
    return i not in layer.unforced_bottoms
