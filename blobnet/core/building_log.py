"""What Caffe logs while a net is built and weights are copied: layers, blobs, shapes, memory, the plan of backward.

Everything goes to one logger. It costs nothing while nobody listens, and a progress bar leaves it out.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence

from google.protobuf.message import Message

from blobnet.core.node import Node
from blobnet.core.wiring import Plan
from blobnet.netdef.fields import without
from blobnet.netdef.state import log
from blobnet.proto.text import show


def log_definition(definition: Message) -> None:
    """The net before splits are inserted, without weights that stand in it."""
    if log.isEnabledFor(logging.INFO):
        shown = without(definition, "layer")
        for layer in definition.layer:
            shown.layer.add().CopyFrom(without(layer, "blobs"))
        log.info("Initializing net from parameters: \n%s", show(shown).rstrip("\n"))


def log_wiring(node: Node) -> None:
    """A layer's name, and those of its bottoms and tops."""
    if log.isEnabledFor(logging.INFO):
        layer = node.layer
        log.info("Creating layer %s", layer.name)  # Caffe's layer factory and its net say so, one after the other
        log.info("Creating Layer %s", layer.name)
        for name in node.bottom_names:
            log.info("%s <- %s", layer.name, name)
        for i, name in enumerate(node.top_names):
            in_place = name in node.bottom_names[i:i + 1]
            log.info("%s -> %s%s", layer.name, name, " (in-place)" if in_place else "")


def log_shapes(nodes: Sequence[Node]) -> None:
    """The shapes and loss weights of the last layer's tops, and the bytes of all tops so far, with those in place."""
    if log.isEnabledFor(logging.INFO):
        layer = nodes[-1].layer
        log.info("Setting up %s", layer.name)
        for blob, weight in zip(nodes[-1].tops, layer.loss_weights, strict=True):
            log.info("Top shape: %s(%d)", "".join(f"{size} " for size in blob.shape), blob.count)
            if weight:
                log.info("    with loss weight %g", weight)
        count = sum(blob.count for node in nodes for blob in node.tops)
        log.info("Memory required for data: %d", count * layer.dtype.itemsize)


def log_plan(names: Iterable[str], plans: Iterable[Plan]) -> None:
    """Which of the layers `names` run backward, the last first."""
    for name, plan in reversed(list(zip(names, plans, strict=True))):
        log.info("%s %s backward computation.", name, "needs" if plan.needs_backward else "does not need")


def log_end(outputs: Iterable[str]) -> None:
    """The outputs of the net, and that it is built."""
    for name in outputs:
        log.info("This network produces output %s", name)
    log.info("Network initialization done.")


def log_ignored(name: str) -> None:
    """A layer of a file of weights that the net does not have."""
    log.info("Ignoring source layer %s", name)
