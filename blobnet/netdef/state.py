"""Which layers of a net belong to a phase, level and set of stages."""

from __future__ import annotations

from collections.abc import Iterable

from google.protobuf.message import Message

from blobnet.errors import NetError
from blobnet.netdef.fields import layer_where, without
from blobnet.proto import messages


def net_state(message: Message, phase: int, level: int = 0, stages: Iterable[str] = ()) -> Message:
    """The NetState of the net `message` run in `phase` (0 TRAIN, 1 TEST) at `level` and in `stages`.

    Stages add to those that the net itself names; phase and level take the place of its own.
    A text is one stage. Raises NetError for an unknown phase and for a level that is no whole number.
    Quirks: the level 0 that stands for none replaces the net's own level too.
    """
    if phase not in (0, 1):
        raise NetError("phase", expected="0 (TRAIN) or 1 (TEST)", got=repr(phase))
    if not hasattr(level, "__index__"):
        raise NetError("level", expected="a whole number", got=repr(level))
    stages = [stages] if isinstance(stages, str) else stages
    own = list(message.state.stage)
    return messages.new("NetState", phase=phase, level=level,
                        stage=own + [stage for stage in stages if stage not in own])


def filter_net(message: Message, state: Message, origin: str = "") -> Message:
    """The net `message` in `state`, without the layers whose include and exclude rules keep them out of it.

    A layer with include rules is in if one of them is met; one with exclude rules is out if one of them is met.
    Raises NetError for a layer with both kinds.
    """
    net = without(message, "layer")
    net.state.CopyFrom(state)
    for layer in message.layer:
        if layer.include and layer.exclude:
            raise NetError(layer_where(layer.name, layer.type, origin), "both include and exclude rules",
                           hint="use rules of one kind")
        rules = layer.include or layer.exclude
        met = any(meets(state, rule) for rule in rules)
        if not rules or met == bool(layer.include):
            net.layer.add().CopyFrom(layer)
    return net


def meets(state: Message, rule: Message) -> bool:
    """Whether `state` (NetState) meets every condition of `rule` (NetStateRule).

    >>> meets(messages.new("NetState", phase=1, level=2), messages.new("NetStateRule", phase=1, max_level=1))
    False
    """
    return not (rule.HasField("phase") and rule.phase != state.phase
                or rule.HasField("min_level") and state.level < rule.min_level
                or rule.HasField("max_level") and state.level > rule.max_level
                or any(stage not in state.stage for stage in rule.stage)
                or any(stage in state.stage for stage in rule.not_stage))
