"""What Caffe logs while a net is built and weights are copied: layers, blobs, shapes, memory, the plan of backward.

Everything goes to one logger, which costs nothing while nobody listens and which a progress bar leaves out.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

from google.protobuf.message import Message

from blobnet.core.blob import Blob
from blobnet.core.layer import Layer
from blobnet.core.wiring import Node
from blobnet.netdef.fields import without
from blobnet.netdef.state import log
from blobnet.proto.text import show

if TYPE_CHECKING:
    from blobnet.core.net import Net


def log_definition(definition: Message) -> None:
    """The net before splits are inserted, without weights that stand in it."""
    if log.isEnabledFor(logging.INFO):
        shown = without(definition, "layer")
        for layer in definition.layer:
            shown.layer.add().CopyFrom(without(layer, "blobs"))
        log.info("Initializing net from parameters: \n%s", show(shown).rstrip("\n"))


def log_wiring(layer: Layer, top: Sequence[Blob]) -> None:
    """A layer's name, and those of its bottoms and tops."""
    if log.isEnabledFor(logging.INFO):
        log.info("Creating layer %s", layer.name)  # Caffe's layer factory and its net say so, one after the other
        log.info("Creating Layer %s", layer.name)
        for name in layer.param.bottom:
            log.info("%s <- %s", layer.name, name)
        for i, name in enumerate(top_names(layer, top)):
            in_place = name in layer.param.bottom[i:i + 1]
            log.info("%s -> %s%s", layer.name, name, " (in-place)" if in_place else "")


def log_shapes(net: Net) -> None:
    """The shapes and loss weights of the last layer's tops, and the bytes of all tops so far, with those in place."""
    if log.isEnabledFor(logging.INFO):
        layer = net.layers[-1]
        log.info("Setting up %s", layer.name)
        for blob, weight in zip(net.tops[-1], layer.loss_weights, strict=True):
            log.info("Top shape: %s(%d)", "".join(f"{size} " for size in blob.shape), blob.count)
            if weight:
                log.info("    with loss weight %g", weight)
        count = sum(blob.count for tops in net.tops for blob in tops)
        log.info("Memory required for data: %d", count * net.dtype.itemsize)


def log_plan(layers: Sequence[Layer], nodes: Sequence[Node]) -> None:
    """Which layers run backward, the last first, before force_backward has its say."""
    for layer, node in zip(reversed(layers), reversed(nodes), strict=True):
        log.info("%s %s backward computation.", layer.name, "needs" if node.needs_backward else "does not need")


def log_end(net: Net) -> None:
    """The outputs, and that the net is built."""
    for name in net.outputs:
        log.info("This network produces output %s", name)
    log.info("Network initialization done.")


def log_ignored(name: str) -> None:
    """A layer of a file of weights that the net does not have."""
    log.info("Ignoring source layer %s", name)


def top_names(layer: Layer, top: Sequence[Blob]) -> list[str]:
    """The names of a layer's tops, with a word for those that have none."""
    return [*layer.param.top, *["(automatic)"] * (len(top) - len(layer.param.top))]
