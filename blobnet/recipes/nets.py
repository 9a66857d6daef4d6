"""The nets and solvers of a trial: paths in them start at the recipe's folder or at the data folder."""

from __future__ import annotations

import dataclasses
import hashlib
import math
import os
from pathlib import Path

from google.protobuf.message import Message

from blobnet.core.context import TEST
from blobnet.core.net import Net
from blobnet.data.database import database_kind, open_database
from blobnet.data.image_list import read_image_list
from blobnet.errors import DataError, NetError, SolverError, close_matches
from blobnet.hashing.codes import Codes
from blobnet.hashing.encode import encode, require_blobs
from blobnet.netdef.load import load
from blobnet.netdef.solver_nets import TRAIN_FIELDS
from blobnet.proto.files import read_message
from blobnet.proto.text import dump, parse
from blobnet.recipes.trial import Trial
from blobnet.solvers.settings import read_solver


def trial_solver(trial: Trial, path: str, max_iter: int = 0, overrides: dict[str, str] | None = None
                 ) -> Message:
    """The SolverParameter of the file `path` as the trial runs it, its net inside.

    A net in a file is looked for by its name beside the solver file, and then where that says. `data/…` in the net
    stands for the trial's data folder. Snapshots go into the trial's folder; test nets are left out; random_seed is the
    trial's; `max_iter`, if it is not 0, and `overrides` (see `trial_net`) replace what the files say.
    """
    file = trial.folder / path
    solver = read_solver(file)
    given = [name for name in TRAIN_FIELDS if solver.HasField(name)]
    if len(given) != 1:
        raise SolverError(str(file), expected="one of " + ", ".join(TRAIN_FIELDS),
                          got=" and ".join(given) or "none")
    net = getattr(solver, given[0])
    if isinstance(net, str):
        beside = file.parent / Path(net).name
        net = beside if beside.exists() else net
    net = trial_net(trial, net, overrides)
    for name in (*TRAIN_FIELDS, "test_net", "test_net_param", "test_iter", "test_interval", "test_state"):
        solver.ClearField(name)
    solver.net_param.CopyFrom(net)
    solver.random_seed = trial.seed
    solver.snapshot_prefix = str(trial.out / "snapshot")
    if max_iter:
        solver.max_iter = max_iter
    return solver


def trial_net(trial: Trial, source: str | os.PathLike | Message, overrides: dict[str, str] | None = None) -> Message:
    """The NetParameter of the file `source`, or that one itself, with `data/…` in it for the trial's data folder.

    `overrides` gives prototxt by the name of the layer whose fields it replaces: {"loss": "loss_weight: 0"}.
    """
    net = source if isinstance(source, Message) else read_message(source, "NetParameter")
    for name, text in (overrides or {}).items():
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
    overrides = options.get("overrides")
    messages = [trial_solver(trial, options["solver"], options["max_iter"], overrides)]
    if options.get("encode_net"):
        messages.append(trial_net(trial, trial.folder / options["encode_net"], overrides))
    return options | {"definition": hashlib.sha256("".join(map(dump, messages)).encode()).hexdigest()}


def encode_database(trial: Trial, net: Message, weights: str | os.PathLike, blob: str, source: str, count: int = 0,
                    threshold: float = 0.0) -> Codes:
    """The codes of the first `count` images (0: all) of `source` in the data folder, by the net in TEST.

    `source` is an LMDB for a net with a Data layer, or a list of images for one with an ImageData layer.
    """
    definition, size = _reading(trial, net, source)
    return encode(Net(definition, TEST, weights, device=trial.device), blob, count or size, threshold=threshold)


def check_blobs(trial: Trial, net: Message, source: str, *blobs: str) -> list[int]:
    """The numbers an image has in each of the `blobs` of the net in TEST; NetError if one, or "label", is not there."""
    built = Net(_reading(trial, net, source)[0], TEST)
    require_blobs(built, [*blobs, "label"])
    return [math.prod(built.blobs[blob].shape[1:]) for blob in blobs]


def check_source(trial: Trial, net: Message, name: str) -> int:
    """How many images of the option `name`, queries or base, the trial wants; DataError if that is too many."""
    return check_count(trial, f"num_{name}", _reading(trial, net, trial.options[name])[1])


def check_count(trial: Trial, option: str, size: int) -> int:
    """The value of an option that counts images, `size` for 0; DataError if it is above `size`."""
    count = trial.options[option]
    if count > size:
        raise DataError(f"method {trial.method!r}", f"option {option!r}", expected=f"at most {size}, all there are",
                        got=count)
    return count or size


def _reading(trial: Trial, net: Message, source: str) -> tuple[Message, int]:
    """The net in TEST, its images those of `source` in the data folder, and how many these are."""
    definition = load(net, TEST)
    layers = [layer for layer in definition.layer if layer.HasField("data_param") or layer.HasField("image_data_param")]
    if len(layers) != 1:
        raise NetError(f"net {net.name!r}", got=len(layers),
                       expected="one layer with data_param or image_data_param in the TEST phase")
    path = str(trial.data / source)
    if layers[0].HasField("image_data_param"):
        layers[0].image_data_param.source = path
        return definition, len(read_image_list(path, layers[0].image_data_param.label_num)[0])
    layers[0].data_param.source = path
    return definition, len(open_database(path, database_kind(path)))
