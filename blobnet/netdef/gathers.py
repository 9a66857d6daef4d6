"""Gather layers: what a layer that looks at a whole batch reads is that of all processes which train together."""

from __future__ import annotations

from google.protobuf.message import Message

from blobnet.netdef.fields import without


def insert_gathers(message: Message) -> Message:
    """The net `message` with a Gather layer before every layer that says across_processes; itself if none does.

    The one before layer "l" is named "l_gather", and its top for the bottom "x" is "x_l_gather".
    """
    if not any(layer.across_processes for layer in message.layer):
        return message
    net = without(message, "layer")
    for layer in message.layer:
        copy = type(layer)()
        copy.CopyFrom(layer)
        if layer.across_processes and layer.bottom:
            name = f"{layer.name}_gather"
            copy.bottom[:] = [f"{blob}_{name}" for blob in layer.bottom]
            net.layer.add(name=name, type="Gather", bottom=layer.bottom, top=copy.bottom)
        net.layer.add().CopyFrom(copy)
    return net
