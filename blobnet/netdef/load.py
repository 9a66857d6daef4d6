"""From a file to the net that is built: read, upgrade, filter, insert gathers and splits."""

from __future__ import annotations

import os
from collections.abc import Iterable

from google.protobuf.message import Message

from blobnet.errors import NetError
from blobnet.netdef.gathers import insert_gathers
from blobnet.netdef.splits import insert_splits
from blobnet.netdef.state import filter_net, net_state
from blobnet.netdef.upgrade import upgrade_net
from blobnet.proto.files import read_message
from blobnet.proto.messages import convert


def load(source: str | os.PathLike | Message, phase: int, level: int = 0, stages: Iterable[str] = (),
         origin: str | None = None) -> Message:
    """The NetParameter to build, in `phase` (0 TRAIN, 1 TEST), at `level`, in `stages`; its `state` says so.

    `source` is a file or a NetParameter of any generation (never changed); `origin` names it in errors, by default by
    its path. Raises ParseError for what is no net, NetError for a net that makes no sense.
    """
    origin = origin or ("" if isinstance(source, Message) else os.fspath(source))
    return insert_splits(load_filtered(source, phase, level, stages, origin), origin)


def load_filtered(source: str | os.PathLike | Message, phase: int, level: int, stages: Iterable[str],
                  origin: str) -> Message:
    """What `load` gives, before splits are inserted."""
    if isinstance(source, Message):
        message = convert(source)
    else:
        message = read_message(source, "NetParameter")
    made = {top for layer in (*message.layer, *message.layers) for top in layer.top}
    if not message.input_shape and not message.input_dim and not made.issuperset(message.input):
        raise NetError(origin or "net", f"no size for input {message.input[0]!r}",
                       hint="add input_shape { dim: … } for each input")
    net = upgrade_net(message, origin)
    return insert_gathers(filter_net(net, net_state(net, phase, level, stages), origin))
