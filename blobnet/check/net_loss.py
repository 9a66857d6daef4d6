"""The loss of a net against the gradients of all parameters that learn."""

from __future__ import annotations

import numpy as np

from blobnet.backend import to_host
from blobnet.check.compare import Rules, compare
from blobnet.check.results import GradientResult
from blobnet.core.blob import Blob
from blobnet.core.net import Net

PLACE = ("(whole net)", "", "loss", "param")
OPEN, CUT = "open", "cut"  # ways of a gradient from the loss: one that arrives, one that propagate_down: false stops


def check_loss(net: Net, rng: np.random.Generator) -> list[GradientResult]:
    """Check the net's loss by all parameters that learn, along random directions through all of them.

    Parameters whose gradient is cut off, as by propagate_down: false, are left alone; where only a part of a gradient
    is cut off, nothing is checked.
    """
    ways = _ways_from_loss(net)
    learning = [parameter for parameter in net.parameters if parameter.lr_mult != 0]
    found = [set().union(*(way for blob, way in ways if net.xp.may_share_memory(blob.diff, learner.blob.diff)))
             for learner in learning]
    if {OPEN, CUT} in found:
        return [GradientResult(*PLACE, 0, 0, 0.0, True, "propagate_down cuts a part of a gradient")]
    learning = [parameter for parameter, way in zip(learning, found, strict=True) if CUT not in way]
    learned, names = [learner.blob for learner in learning], [f"{it.layer.name} param {it.index}" for it in learning]
    if not learned or not any(any(layer.loss_weights) for layer in net.layers):
        return []
    everything = [blob for blobs in net.params.values() for blob in blobs]
    start = [np.array(to_host(blob.data)) for blob in everything]
    variables = [np.array(to_host(blob.data)) for blob in learned]

    def loss() -> list[np.ndarray]:
        for blob, value in zip(everything + learned, start + variables, strict=True):
            blob.data[...] = net.xp.asarray(value)
        net.seek(0)
        net.forward()
        return [np.array(net.loss)]

    loss()
    net.clear_param_diffs()
    net.backward()
    gradients = [np.array(to_host(blob.diff)) for blob in learned]
    compared = compare(loss, [np.ones(())], variables, gradients, Rules(exhaustive=0, tolerance=1e-3), rng, names=names)
    return [GradientResult(*PLACE, **compared._asdict())]


def _ways_from_loss(net: Net) -> list[tuple[Blob, set[str]]]:
    """The parameter blobs of every layer, each with the kinds of ways that lead to it from the loss."""
    of_blob: dict[str, set[str]] = {}
    found = []
    for node in reversed(net.nodes):
        is_loss = any(node.layer.loss_weights)
        here = set().union(*(of_blob.pop(name, set()) for name in node.top_names), {OPEN} if is_loss else set())
        if here and not node.needs_backward:
            here = {CUT}
        found += [(blob, here) for blob in node.layer.blobs]
        for name, needed in zip(node.bottom_names, node.bottom_needs_backward, strict=True):
            below = here if needed or not here else {CUT}
            of_blob[name] = of_blob.get(name, set()) | below
    return found
