"""The nets that a solver file asks for, and the states they run in."""

from __future__ import annotations

import os
from pathlib import Path

from google.protobuf.message import Message

from blobnet.errors import MissingFile, SolverError
from blobnet.proto import messages
from blobnet.proto.files import read_message

TRAIN_FIELDS = ("train_net_param", "train_net", "net_param", "net")


def train_net(solver: Message, where: str = "solver") -> tuple[Message, Message, str | None]:
    """The NetParameter (as read: not upgraded) that the SolverParameter `solver` trains, its NetState and file, if any.

    The state is TRAIN, then what the net's own state says, then the solver's train_state; the last word wins.
    Nets given by path are looked for from the current folder. `where` (a file name) begins the errors. SolverError
    unless exactly one net is given.
    """
    given = [field for field in TRAIN_FIELDS if solver.HasField(field)]
    if len(given) != 1:
        raise SolverError(where, expected="one of " + ", ".join(TRAIN_FIELDS) + " to train",
                          got=" and ".join(given) or "none")
    net, path = _read(getattr(solver, given[0]))
    return net, _state(0, net, solver.train_state), path


def test_nets(solver: Message, where: str = "solver") -> list[tuple[Message, Message, str | None]]:
    """The NetParameter (as read: not upgraded), NetState and file, if any, of every test net, in Caffe's order.

    First every test_net_param, then every test_net; then `net` or `net_param`, once for every test_iter that is left.
    The state is TEST, then what the net's own state says, then the test_state of the same index.
    Raises SolverError for counts of test_iter or test_state that do not fit, and for a missing test_interval.
    """
    if solver.HasField("net") and solver.HasField("net_param"):
        raise SolverError(where, "both net and net_param", hint="keep one of them")
    own = [*solver.test_net_param, *solver.test_net]
    shared = solver.net_param if solver.HasField("net_param") else solver.net if solver.HasField("net") else None
    iterations, states = len(solver.test_iter), list(solver.test_state)
    if iterations < len(own) or (shared is None and iterations > len(own)):
        raise SolverError(where, expected=f"{len(own)} test_iter, one for each test net", got=iterations)
    if states and len(states) != iterations:
        raise SolverError(where, expected=f"no test_state or {iterations}, one for each test net", got=len(states))
    if iterations and solver.test_interval <= 0:
        raise SolverError(where, expected="test_interval above 0, as there are test nets", got=solver.test_interval)
    nets = [_read(source) for source in own]
    if iterations > len(own):
        nets += [_read(shared)] * (iterations - len(own))
    return [(net, _state(1, net, state), path) for (net, path), state in zip(nets, states or [None] * iterations)]


def net_sources(solver: Message) -> list[str]:
    """Where the training net and every test net of a solver that makes sense come from, as Caffe's log has it."""
    train, = (field for field in TRAIN_FIELDS if solver.HasField(field))
    tests = [*["test_net_param"] * len(solver.test_net_param), *(f"test_net file: {path}" for path in solver.test_net)]
    shared = "net_param" if solver.HasField("net_param") else f"net file: {solver.net}"
    tests += [shared] * (len(solver.test_iter) - len(tests))
    begin = f"specified in {train}." if train.endswith("param") else f"from {train} file: {getattr(solver, train)}"
    return [f"Creating training net {begin}",
            *(f"Creating test net (#{i}) specified by {source}" for i, source in enumerate(tests))]


def find_net(name: str, solver_file: str | os.PathLike) -> str:
    """The path of a net that a solver file names: from the current folder, else from that of the solver or from one
    above it, as published solvers name their nets from the folder in which they were started. MissingFile if none."""
    folder = Path(solver_file).resolve().parent
    for path in (Path(name), *(above / name for above in (folder, *folder.parents))):
        if path.is_file():
            return str(path)
    raise MissingFile(os.fspath(solver_file), f"no net {name!r}", hint="start in the folder for which it was "
                      "written, or change the path")


def named_nets(solver: Message) -> list[str]:
    """The files that a solver names for its nets, each once, the one to train first."""
    return list(dict.fromkeys(filter(None, (solver.train_net, solver.net, *solver.test_net))))


def inner_nets(solver: Message) -> list[Message]:
    """The nets that stand in the solver file itself."""
    given = [getattr(solver, field) for field in ("train_net_param", "net_param") if solver.HasField(field)]
    return [*given, *solver.test_net_param]


def _read(source: str | Message) -> tuple[Message, str | None]:
    return (read_message(source, "NetParameter"), source) if isinstance(source, str) else (source, None)


def _state(phase: int, net: Message, last: Message | None) -> Message:
    state = messages.new("NetState", phase=phase)
    state.MergeFrom(net.state)
    if last is not None:
        state.MergeFrom(last)
    return state
