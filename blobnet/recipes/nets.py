"""The nets and solvers of a trial: paths in them start at the recipe's folder or at the data folder."""

from __future__ import annotations

import dataclasses
import hashlib
import os
from pathlib import Path

from google.protobuf.message import Message

from blobnet.errors import NetError, SolverError, close_matches
from blobnet.netdef.solver_nets import TRAIN_FIELDS
from blobnet.proto.files import read_message
from blobnet.proto.text import dump, parse
from blobnet.recipes.trial import Trial
from blobnet.solvers.settings import read_solver


def trial_solver(trial: Trial) -> Message:
    """The SolverParameter of the option `solver` as the trial runs it, its net inside.

    A net in a file is looked for by its name beside the solver file, and then where that says. `data/…` in the net
    stands for the trial's data folder. Snapshots go into the trial's folder; test nets are left out; random_seed is the
    trial's. The options `max_iter`, if it is not 0, and `overrides` (see `trial_net`) replace what the files say.
    """
    solver, net = _solver(trial)
    net = trial_net(trial, net)
    for name in (*TRAIN_FIELDS, "test_net", "test_net_param", "test_iter", "test_interval", "test_state"):
        solver.ClearField(name)
    solver.net_param.CopyFrom(net)
    solver.random_seed = trial.seed
    solver.snapshot_prefix = str(trial.out / "snapshot")
    if trial.options.get("max_iter"):
        solver.max_iter = trial.options["max_iter"]
    return solver


def net_file(trial: Trial) -> str:
    """The file of the net that makes the trial's codes; the solver's, if the net is in there."""
    if trial.options.get("encode_net"):
        return os.fspath(trial.folder / trial.options["encode_net"])
    net = _solver(trial)[1]
    return os.fspath(trial.folder / trial.options["solver"] if isinstance(net, Message) else net)


def _solver(trial: Trial) -> tuple[Message, Message | str | Path]:
    """What is in the solver's file, and the net that it trains: a file, or the net itself."""
    file = trial.folder / trial.options["solver"]
    solver = read_solver(file)
    given = [name for name in TRAIN_FIELDS if solver.HasField(name)]
    if len(given) != 1:
        raise SolverError(str(file), expected="one of " + ", ".join(TRAIN_FIELDS), got=" and ".join(given) or "none")
    net = getattr(solver, given[0])
    if isinstance(net, str):
        beside = file.parent / Path(net).name
        net = beside if beside.exists() else net
    return solver, net


def trial_net(trial: Trial, source: str | os.PathLike | Message) -> Message:
    """The NetParameter of the file `source`, or that one itself, with `data/…` in it for the trial's data folder.

    The option `overrides` gives prototxt by the name of the layer whose fields it replaces: {"loss": "loss_weight: 0"};
    the net is in the option `stage`, in either phase.
    """
    net = source if isinstance(source, Message) else read_message(source, "NetParameter")
    if trial.options.get("stage"):
        net.state.stage.append(trial.options["stage"])
    for name, text in trial.options.get("overrides", {}).items():
        layers = [layer for layer in net.layer if layer.name == name]  # often one a phase
        if not layers:
            raise NetError(f"net {net.name!r}", f"no layer {name!r} to override",
                           hint=close_matches(name, [layer.name for layer in net.layer]))
        change = parse(text, "LayerParameter", f"overrides of layer {name!r}")
        for layer in layers:
            _clear_lists(layer, change)
            layer.MergeFrom(change)
    for layer in net.layer:
        for message in [value for field, value in layer.ListFields() if field.message_type and not field.is_repeated]:
            for field, value in message.ListFields():
                if field.name in ("source", "mean_file", "root_folder") and value.startswith("data/"):
                    setattr(message, field.name, f"{trial.data}/{value.removeprefix('data/')}")
    return net


def _clear_lists(message: Message, change: Message) -> None:
    """Clear the repeated fields of `message`, and of messages in it, that `change` gives anew."""
    for field, value in change.ListFields():
        if field.is_repeated:
            message.ClearField(field.name)
        elif field.message_type and message.HasField(field.name):
            _clear_lists(getattr(message, field.name), value)


def identity(trial: Trial) -> dict:
    """What tells the trial from others of its method and seed: its options, and a hash of its solver and nets."""
    options = trial.options
    if not options.get("solver"):
        return options
    trial = dataclasses.replace(trial, seed=0, data=Path("data"), out=Path("out"))  # which make no difference
    messages = [trial_solver(trial)]
    if options.get("encode_net"):
        messages.append(trial_net(trial, trial.folder / options["encode_net"]))
    return options | {"definition": hashlib.sha256("".join(map(dump, messages)).encode()).hexdigest()}
