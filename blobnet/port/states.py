"""The phases and stages in which a file is a net."""

from __future__ import annotations

from collections.abc import Sequence

from google.protobuf.message import Message

from blobnet.core.context import TEST, TRAIN
from blobnet.core.registry import declarations
from blobnet.errors import BlobnetError
from blobnet.netdef.state import filter_net, net_state

MOST = 8  # states of one file


def states(net: Message, level: int = 0, stages: Sequence[str] = ()) -> list[tuple[int, list[str], Message]]:
    """(phase, stages, the filtered net) of every state in which the upgraded `net` has a layer that gives it data.

    The stages tried are those given, or else none, and each one that a rule of a layer names; states with the same
    layers count once, TRAIN first. A net all of whose data is given by its user is one for TEST alone, as deploy nets
    are. TRAIN if no state has data.
    """
    rules = [rule for layer in net.layer for rule in (*layer.include, *layer.exclude)]
    named = sorted({stage for rule in rules for stage in (*rule.stage, *rule.not_stage)})
    choices = [list(stages)] if stages else [[], *([stage] for stage in named)]
    found: dict[tuple[bytes, ...], tuple[int, list[str], Message]] = {}
    for phase in (TRAIN, TEST):
        for chosen in choices:
            try:
                filtered = filter_net(net, net_state(net, phase, level, chosen))
            except BlobnetError:  # what is wrong with the rules is said when the net is loaded
                continue
            sources = [layer for layer in filtered.layer if layer.top and not layer.bottom]
            given = all(declarations(layer).is_input for layer in sources)
            if sources and not (given and phase == TRAIN):
                layers = tuple(layer.SerializePartialToString(deterministic=True) for layer in filtered.layer)
                found.setdefault(layers, (phase, chosen, filtered))
    return list(found.values())[:MOST] or [(TRAIN, list(stages), filter_net(
        net, net_state(net, TRAIN, level, stages)))]
