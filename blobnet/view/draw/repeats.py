"""Equal blocks that follow each other in a net, such as res3b, res3c and res3d of ResNet."""

from __future__ import annotations

from collections.abc import Sequence
from os.path import commonprefix

from google.protobuf.message import Message

from blobnet.netdef.fields import without

LEAST = 4  # layers of a block


def repeats(layers: Sequence[Message]) -> dict[int, str]:
    """For the number of each layer that belongs to such a block, the name of the block.

    Blocks are equal if their layers have the same types, options and wires, and if the names of their layers differ in
    the same piece: "res3b_branch2a", "bn3b_branch2a", … and "res3c_branch2a", "bn3c_branch2a", … in "b" and "c". Of the
    ways to cut a net into blocks the one counts whose blocks are shortest. A block is named by its first layer's name
    up to that piece, "res3b".
    """
    kinds, titles = _kinds(layers), [layer.name for layer in layers]
    found: dict[int, str] = {}
    for length in range(LEAST, len(layers) // 2 + 1):
        start = 0
        while start + 2 * length <= len(layers):
            alike = start not in found and kinds[start] == kinds[start + length]
            names = _names(titles, kinds, start, length) if alike else []
            numbers = range(start, start + length * len(names))
            if found.keys().isdisjoint(numbers):
                found.update({number: names[i // length] for i, number in enumerate(numbers)})
            start += len(numbers) or 1
    return found


def _kinds(layers: Sequence[Message]) -> list[int]:
    """A number for each layer: the same for layers of equal types, options and ways back to those that they read."""
    seen: dict[tuple, int] = {}
    made: dict[str, int] = {}
    kinds = []
    for number, layer in enumerate(layers):
        bare = without(layer, "blobs")
        for field in ("name", "bottom", "top", "param"):
            bare.ClearField(field)
        kind = bare.SerializeToString(deterministic=True), *(number - made.get(blob, -1) for blob in layer.bottom)
        kinds.append(seen.setdefault(kind, len(seen)))
        made.update(dict.fromkeys(layer.top, number))
    return kinds


def _names(titles: list[str], kinds: list[int], start: int, length: int) -> list[str]:
    """The names of the equal blocks of `length` layers from layer `start` on; [] if there is one only."""
    names: list[str] = []
    while kinds[start:start + length] == kinds[start + length:start + 2 * length]:
        pair = block_names(titles[start:start + length], titles[start + length:start + 2 * length])
        if not pair:
            break
        names, start = [*names, *pair[bool(names):]], start + length
    return names


def block_names(first: list[str], second: list[str]) -> list[str]:
    """The names of two blocks whose layers have these names; [] if they do not differ in one piece."""
    pieces: set[tuple[str, ...]] = set()
    pair: list[str] = []
    for one, other in zip(first, second):
        head = len(commonprefix([one, other]))
        tail = len(commonprefix([one[head:][::-1], other[head:][::-1]]))
        ends = [name[:len(name) - tail] for name in (one, other)]
        pieces.add(tuple(end[head:] for end in ends))
        pair = pair or ends
    return pair if len(pieces) == 1 and all(pieces.pop()) else []
