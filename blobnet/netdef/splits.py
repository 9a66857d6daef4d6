"""Split layers: every blob gets one reader, so that the gradients of several readers are added in one place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

from google.protobuf.message import Message

from blobnet.errors import FEW, NetError, did_you_mean, nearest
from blobnet.netdef.fields import layer_where, without

Top = tuple[int, int]  # index of a layer, index of one of its tops


def insert_splits(message: Message, origin: str = "") -> Message:
    """The net `message` with a Split layer behind every top that is read more than once; itself if none is.

    Being a loss (a loss_weight other than 0) counts as being read; the weight moves to the first top of the split.
    The split of top 0, "x", of layer "l" is named "x_l_0_split", its tops "x_l_0_split_0", "x_l_0_split_1", ….
    Raises NetError for a bottom that no earlier layer makes.
    Quirks: when a weight moves, the layer loses all its loss weights, those of its other tops included.
    """
    sources, uses, weights = _trace(message, origin)
    if all(count < 2 for count in uses.values()):
        return message
    net = without(message, "layer")
    taken: Counter[Top] = Counter()

    def split_name(top: Top) -> str:
        layer = message.layer[top[0]]
        return f"{layer.top[top[1]]}_{layer.name}_{top[1]}_split"

    for index, layer in enumerate(message.layer):
        copy = net.layer.add()
        copy.CopyFrom(layer)
        for j, source in enumerate(sources[index]):
            if uses[source] > 1:
                copy.bottom[j] = f"{split_name(source)}_{taken[source]}"
                taken[source] += 1
        for j, blob in enumerate(layer.top):
            top, count = (index, j), uses[index, j]
            if count > 1:
                name, weight = split_name(top), weights.get(top, 0)
                split = net.layer.add(name=name, type="Split", bottom=[blob], top=[f"{name}_{k}" for k in range(count)])
                if weight:
                    split.loss_weight.extend([weight] + [0] * (count - 1))
                    copy.ClearField("loss_weight")
                    taken[top] += 1
    return net


def _trace(message: Message, origin: str) -> tuple[list[list[Top]], Counter[Top], dict[Top, float]]:
    """For each layer the tops that its bottoms come from, how often each top is used, and the loss weights of tops."""
    made: dict[str, Top] = {}  # blob: the top that made it last, as layers that work in place make it anew
    uses: Counter[Top] = Counter()
    sources, weights = [], {}
    for index, layer in enumerate(message.layer):
        for j, blob in enumerate(layer.bottom):
            if blob not in made:
                raise unknown_bottom(message, layer, j, made, origin)
        sources.append([made[blob] for blob in layer.bottom])
        uses.update(sources[-1])
        made.update({blob: (index, j) for j, blob in enumerate(layer.top)})
        for blob, weight in zip(layer.top, layer.loss_weight):
            weights[made[blob]] = weight
            uses[made[blob]] += weight != 0
    return sources, uses, weights


def unknown_bottom(message: Message, layer: Message, j: int, made: Collection[str], origin: str) -> NetError:
    """The error for bottom `j` of a `layer` of the net `message`, which is none of the blobs `made` before it."""
    blob = layer.bottom[j]
    return NetError(layer_where(layer.name, layer.type, origin), f"unknown bottom {j}, {blob!r}",
                    hint=_unknown_hint(message, blob, made))


def _unknown_hint(message: Message, blob: str, made: Collection[str]) -> str:
    later = next((layer for layer in message.layer if blob in layer.top), None)
    if later is not None:
        return f"layer {later.name!r} makes it and must come before this one"
    listed = f", or take one of: {', '.join(sorted(made))}" if 0 < len(made) <= FEW else ""
    return did_you_mean(nearest(blob, made)) or f"no layer makes it: add an Input layer{listed}"
