"""A layer like one of a net, by itself, for the gradient check."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from blobnet.backend import to_host
from blobnet.check.gradient import move_from_kinks, stir
from blobnet.check.results import PUBLISHED
from blobnet.check.standalone import Standalone, exact_gradient, read_layer, standalone
from blobnet.core.node import Node


def lone_layer(node: Node, values: Sequence[np.ndarray], rng: np.random.Generator) -> tuple[Standalone, str]:
    """A layer as that of `node`, with its parameters, whose bottoms hold `values`; and a note for the results.

    Values and constant parameters are moved a little, as the check of a net moves them. Where the published gradient is
    not the derivative, the layer has `gradient: EXACT`, and the note says so.
    """
    param = read_layer(node.layer.param)
    note = PUBLISHED if exact_gradient(param, type(node.layer)) else ""
    alone = standalone(param, *values, phase=node.layer.phase, python_layers=node.layer.context.python_layers)
    alone.parameters = [np.array(to_host(blob.data), np.float64) for blob in node.layer.blobs]
    stir(alone, rng)
    move_from_kinks(alone, rng)
    return alone, note
