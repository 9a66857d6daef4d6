"""Which files hold nets or solvers, and what they hold, as far as they can be read."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from google.protobuf.message import Message

from blobnet.errors import ParseError
from blobnet.netdef.solver_nets import TRAIN_FIELDS
from blobnet.proto.files import FORMATS, read_message
from blobnet.proto.reader import Fault
from blobnet.proto.source import walk
from blobnet.proto.storage import require_file
from blobnet.proto.text import parse_faulty

SUFFIXES = (".prototxt", ".pt", ".pbtxt", ".prototext", ".ptxt")  # that a search in a folder takes
NET_FIELDS = {"layer", "layers", "input", "input_dim", "input_shape"}
SOLVER_FIELDS = {*TRAIN_FIELDS, "test_net", "test_net_param", "base_lr", "lr_policy", "max_iter", "solver_mode",
                 "solver_type", "test_iter", "snapshot_prefix"}
MESSAGES = {"net": "NetParameter", "solver": "SolverParameter"}


class Reading(NamedTuple):
    """A file as it was read.

    kind: "net", "solver" or "other"; message: what could be read, None for "other"; faults: fields and values that are
    not known; end: the error at which reading stopped, if it did; text: the file, "" if it is no prototxt.
    """

    kind: str
    message: Message | None
    faults: list[Fault]
    end: ParseError | None
    text: str = ""


def find_files(paths: Iterable[str | os.PathLike]) -> list[str]:
    """The files among `paths`, and in folders among them, and below, those whose names end as prototxt does, sorted."""
    found: dict[str, None] = {}
    for path in map(Path, paths):
        inside = sorted(inner for inner in path.rglob("*") if inner.suffix.lower() in SUFFIXES and inner.is_file()) \
            if path.is_dir() else [path]
        found.update(dict.fromkeys(map(str, inside)))
    return list(found)


def read_file(path: str | os.PathLike) -> Reading:
    """What the file holds. A prototxt is read behind its faults; another format has none or cannot be read."""
    path = require_file(path)
    if FORMATS.get(path.suffix.lower(), "text") != "text":
        return _read_whole(path)
    text = path.read_bytes().decode("utf-8", "surrogateescape").removeprefix("\ufeff")
    kind = _kind({token.text for token in walk(text) if token.kind == "name" and not token.path})
    if kind == "other":
        return Reading(kind, None, [], None, text)
    return Reading(kind, *parse_faulty(text, MESSAGES[kind], str(path)), text)


def _read_whole(path: Path) -> Reading:
    try:
        return Reading("net", read_message(path, "NetParameter"), [], None)
    except ParseError as error:
        return Reading("other", None, [], error)


def _kind(names: set[str]) -> str:
    """What a text with these fields is: a net may have the name of a solver's field, but no solver has layers."""
    if names & NET_FIELDS:
        return "net"
    return "solver" if names & SOLVER_FIELDS else "other"
