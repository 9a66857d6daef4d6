"""Which layers of a net belong to a phase, level and set of stages."""

from __future__ import annotations

from collections.abc import Iterable

from google.protobuf.message import Message

from blobnet.errors import NetError
from blobnet.log.loggers import building as log  # of all that is said while nets are built
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
    Rules that are not met are logged, as Caffe does. Raises NetError for a layer with both kinds.
    """
    net = without(message, "layer")
    net.state.CopyFrom(state)
    for layer in message.layer:
        if layer.include and layer.exclude:
            raise NetError(layer_where(layer.name, layer.type, origin), "both include and exclude rules",
                           hint="use rules of one kind")
        rules = layer.include or layer.exclude
        met = any(_meets(state, rule, layer.name) for rule in rules)
        if not rules or met == bool(layer.include):
            net.layer.add().CopyFrom(layer)
    return net


def _meets(state: Message, rule: Message, layer: str) -> bool:
    """Whether `state` (NetState) meets every condition of a `rule` (NetStateRule) of `layer`."""
    reason = _broken(state, rule)
    if reason:
        log.info("The NetState %s specified by a rule in layer %s", reason, layer)
    return not reason


def _broken(state: Message, rule: Message) -> str:
    """The first condition of `rule` that `state` breaks, in Caffe's words; empty if there is none.

    Quirks: a level below min_level is said to be above it.

    >>> _broken(messages.new("NetState", phase=1, level=2), messages.new("NetStateRule", phase=1, max_level=1))
    'level (2) is above the max_level (1)'
    """
    if rule.HasField("phase") and rule.phase != state.phase:
        return f"phase ({state.phase}) differed from the phase ({rule.phase})"
    if rule.HasField("min_level") and state.level < rule.min_level:
        return f"level ({state.level}) is above the min_level ({rule.min_level})"
    if rule.HasField("max_level") and state.level > rule.max_level:
        return f"level ({state.level}) is above the max_level ({rule.max_level})"
    missing = [f"did not contain stage '{stage}'" for stage in rule.stage if stage not in state.stage]
    unwanted = [f"contained a not_stage '{stage}'" for stage in rule.not_stage if stage in state.stage]
    return next(iter(missing + unwanted), "")
