"""A net as its user wrote it: without the Split layers that blobnet.netdef.splits inserts."""

from __future__ import annotations

from google.protobuf.message import Message

from blobnet.core.registry import declarations
from blobnet.netdef.fields import without


def without_splits(net: Message) -> tuple[Message, list[int]]:
    """`net` without its Split layers, weights left out, and for each layer that is left its number in `net`.

    Whoever reads a top of a Split layer, "x_conv1_0_split_1", reads the blob that was split, "x".
    """
    result, numbers = without(net, "layer"), []
    blobs: dict[str, str] = {}  # a top of a split: the blob that it is
    for number, layer in enumerate(net.layer):
        if declarations(layer).is_split and layer.bottom:
            blobs.update(dict.fromkeys(layer.top, blobs.get(layer.bottom[0], layer.bottom[0])))
            continue
        copy = result.layer.add()
        copy.CopyFrom(without(layer, "blobs"))
        for j, blob in enumerate(layer.bottom):
            copy.bottom[j] = blobs.get(blob, blob)
        for blob in layer.top:
            blobs.pop(blob, None)
        numbers.append(number)
    return result, numbers
