"""Layers that cannot be built, whatever the shapes, and those behind them, set aside."""

from __future__ import annotations

from collections.abc import Callable

from google.protobuf.message import Message

from blobnet.core.registry import class_of
from blobnet.errors import NetError
from blobnet.netdef.fields import layer_place, without
from blobnet.netdef.splits import unknown_bottom

Note = Callable[[str, Exception], None]  # what an obstacle is told to: its kind, and the error


def sieve(net: Message, origin: str, faulty: set[str], note: Note) -> Message:
    """The layers of a filtered `net` whose types are known and whose bottoms are there; what is wrong with others, all
    of them, goes to `note`. Layers in `faulty` have faults in their text, which were told: they are set aside too.

    A layer without bottoms whose type is not known stays, for its tops can be made up.
    """
    result = without(net, "layer")
    made: set[str] = set()
    lost: set[str] = set()  # blobs that nobody can know
    for layer in net.layer:
        fine = layer.name not in faulty
        try:
            if fine:
                class_of(layer)
        except NetError as error:
            note("type", error.inside(layer_place(layer.name, layer.type, origin)))
            fine = bool(layer.top) and not layer.bottom
        for j, blob in enumerate(layer.bottom):
            if blob not in made and blob not in lost:
                note("net", unknown_bottom(net, layer, j, made, origin))
                fine = False
        if fine and not lost.intersection(layer.bottom):
            result.layer.add().CopyFrom(layer)
            made.update(layer.top)
            lost.difference_update(layer.top)
        else:
            lost.update(layer.top)
    return result
