"""The nets and solvers of a trial: paths in them start at the recipe's folder or at the data folder."""

from __future__ import annotations

import os
from pathlib import Path

from google.protobuf.message import Message

from blobnet.core.context import TEST
from blobnet.core.net import Net
from blobnet.data.database import database_kind, open_database
from blobnet.data.image_list import read_image_list
from blobnet.errors import NetError, close_matches
from blobnet.hashing.codes import Codes
from blobnet.hashing.encode import encode
from blobnet.netdef.load import load
from blobnet.proto.files import read_message
from blobnet.proto.text import parse
from blobnet.recipes.trial import Trial
from blobnet.solvers.settings import read_solver


def trial_solver(trial: Trial, path: str, max_iter: int = 0, overrides: dict[str, str] | None = None
                 ) -> Message:
    """The SolverParameter of the file `path` as the trial runs it, its net inside.

    The net is looked for by its name beside the solver file, and then where that says. `data/…` in the net stands for
    the trial's data folder. Snapshots go into the trial's folder; test nets are left out; random_seed is the
    trial's; `max_iter`, if it is not 0, and `overrides` (see `trial_net`) replace what the files say.
    """
    file = trial.folder / path
    solver = read_solver(file)
    beside = file.parent / Path(solver.net).name
    solver.net_param.CopyFrom(trial_net(trial, beside if beside.exists() else solver.net, overrides))
    for name in ("net", "test_iter", "test_interval", "test_state"):
        solver.ClearField(name)
    solver.random_seed = trial.seed
    solver.snapshot_prefix = str(trial.out / "snapshot")
    if max_iter:
        solver.max_iter = max_iter
    return solver


def trial_net(trial: Trial, path: str | os.PathLike, overrides: dict[str, str] | None = None) -> Message:
    """The NetParameter of the file `path`, with `data/…` in it for the trial's data folder.

    `overrides` gives prototxt by the name of the layer whose fields it replaces: {"loss": "loss_weight: 0"}.
    """
    net = read_message(path, "NetParameter")
    for name, text in (overrides or {}).items():
        layers = [layer for layer in net.layer if layer.name == name]  # often one a phase
        if not layers:
            raise NetError(os.fspath(path), f"no layer {name!r} to override",
                           hint=close_matches(name, [layer.name for layer in net.layer]))
        change = parse(text, "LayerParameter", f"overrides of layer {name!r}")
        for layer in layers:
            for field, _ in change.ListFields():
                if field.is_repeated:
                    layer.ClearField(field.name)
            layer.MergeFrom(change)
    for layer in net.layer:
        for message in [value for field, value in layer.ListFields() if field.message_type and not field.is_repeated]:
            for field, value in message.ListFields():
                if field.name in ("source", "mean_file", "root_folder") and value.startswith("data/"):
                    setattr(message, field.name, f"{trial.data}/{value.removeprefix('data/')}")
    return net


def encode_database(trial: Trial, net: Message, weights: str | os.PathLike, blob: str, source: str, count: int = 0,
                    threshold: float = 0.0) -> Codes:
    """The codes of the first `count` images (0: all) of `source` in the data folder, by the net in TEST.

    `source` is an LMDB for a net with a Data layer, or a list of images for one with an ImageData layer.
    """
    definition = load(net, TEST)
    layers = [layer for layer in definition.layer if layer.HasField("data_param") or layer.HasField("image_data_param")]
    if len(layers) != 1:
        raise NetError(f"net {net.name!r}", got=len(layers),
                       expected="one layer with data_param or image_data_param in the TEST phase")
    path = str(trial.data / source)
    if layers[0].HasField("image_data_param"):
        layers[0].image_data_param.source = path
        count = count or len(read_image_list(path, layers[0].image_data_param.label_num)[0])
    else:
        layers[0].data_param.source = path
        count = count or len(open_database(path, database_kind(path)))
    return encode(Net(definition, TEST, weights, device=trial.device), blob, count, threshold=threshold)
