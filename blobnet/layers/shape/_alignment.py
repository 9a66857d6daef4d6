"""By how much a blob has to be cropped so that it lies over another one, found in the layers that made both.

Source: Long, Shelhamer, Darrell, Fully convolutional networks for semantic segmentation, CVPR 2015.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from google.protobuf.message import Message

from blobnet.core.registry import declarations
from blobnet.errors import NetError


def crop_offsets(layer: Message, below: Sequence[Message]) -> tuple[int, int]:
    """Rows and columns of the first bottom of `layer` that lie before the first ones of its second bottom.

    Both bottoms are followed back, through the first bottom of every layer, to the blob where they meet. NetError if
    they do not meet, if a layer on the way has no map of coordinates, or if no crop brings them together.
    """
    where = f"layer {layer.name!r} ({layer.type})"
    makers: dict[str, Message] = {}
    for other in below:
        for top in other.top:
            makers.setdefault(top, other)  # layers in place come later, and move nothing
    ours, theirs = (_origins(blob, makers) for blob in layer.bottom[:2])
    meeting = next((blob for blob in theirs if blob in ours), None)
    if meeting is None:
        raise NetError(where, expected="bottoms that come from one blob, through first bottoms",
                       got=f"{layer.bottom[0]!r} from {ours[-1]!r}, {layer.bottom[1]!r} from {theirs[-1]!r}")
    (scale, shift), (other_scale, other_shift) = (
        _map(path[:path.index(meeting)], makers, where) for path in (ours, theirs))
    scale = other_scale / scale  # from the first bottom to the second
    offsets = scale * shift - other_shift
    whole = np.round(offsets)
    for wrong, expected, got in ((np.abs(scale - 1) > 1e-6, "bottoms of the same scale", scale),
                                 (whole < 0, "a first bottom that begins before the second one", -offsets),
                                 (np.abs(offsets - whole) > 1e-4, "an offset of whole places", offsets)):
        if wrong.any():
            raise NetError(where, expected=expected, got=" and ".join(f"{value:g}" for value in got))
    return int(whole[0]), int(whole[1])


def _origins(blob: str, makers: Mapping[str, Message]) -> list[str]:
    """The blob, the first bottom of the layer that makes it, and so on."""
    path = [blob]
    while path[-1] in makers and makers[path[-1]].bottom:
        path.append(makers[path[-1]].bottom[0])
    return path


def _map(path: Sequence[str], makers: Mapping[str, Message], where: str) -> tuple[np.ndarray, np.ndarray]:
    """Scale and shift, for height and width, from the blob behind the end of `path` to the first blob of `path`."""
    scale, shift = np.ones(2), np.zeros(2)
    for blob in path:
        maker = makers[blob]
        found = declarations(maker).coordinates(maker)
        if found is None or found[0] not in (None, 1) or max(map(np.size, found[1:])) > 2:
            raise NetError(where, expected="layers of which height and width of the top follow places of the bottom",
                           got=f"{maker.name!r} ({maker.type}) on the way to {path[0]!r}",
                           hint="write a Crop layer with its offset")
        shift = shift + scale * found[2]
        scale = scale * found[1]
    return scale, shift
