"""A net that is built to be drawn: without its data and without its weights."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from google.protobuf.message import Message

from blobnet.core.net import Net
from blobnet.core.without_data import shapes_in, without_data
from blobnet.errors import BlobnetError, NetError, close_matches
from blobnet.netdef.load import load

Shapes = Mapping[str, tuple[int, ...]]


def built_nets(net: Message, phases: Iterable[int], given: Shapes, origin: str,
               python_layers: bool = False) -> tuple[dict[int, Net | None], str]:
    """The net of each phase, None for one in which it cannot be built, and a note that says why.

    `given` are the shapes of tops of layers without bottoms; NetError for one that no such layer makes.
    """
    tops = {top for layer in net.layer if not layer.bottom for top in layer.top}
    for name in given:
        if name not in tops:
            raise NetError(f"shape of {name!r}", "no data layer has this top", hint=close_matches(name, tops))
    note = ""
    found: dict[int, Net | None] = {}
    for phase in phases:
        try:
            definition = load(net, phase, origin=origin)
            definition = without_data(definition, shapes_in(definition, given))
            found[phase] = Net(definition, phase, origin=origin, python_layers=python_layers, fillers=False)
        except BlobnetError as error:
            found[phase], note = None, f"shapes left out: {error}"
    return found, note


def blob_shapes(nets: Mapping[int, Net | None]) -> dict[int, Shapes]:
    """The shapes of the blobs for each phase; none for a phase without a net."""
    return {phase: {name: blob.shape for name, blob in net.blobs.items()} if net else {}
            for phase, net in nets.items()}
