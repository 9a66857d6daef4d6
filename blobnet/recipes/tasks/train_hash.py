"""Train a net whose output are hash codes, encode queries and base, and score them."""

from __future__ import annotations

import json
import os
from pathlib import Path

from google.protobuf.message import Message

from blobnet.errors import DataError
from blobnet.hashing.metrics import evaluate
from blobnet.hashing.protocol import get_protocol
from blobnet.proto.storage import atomic_write
from blobnet.recipes.nets import encode_database, trial_net, trial_solver
from blobnet.recipes.recipe import REQUIRED
from blobnet.recipes.trial import Trial
from blobnet.solvers import get_solver
from blobnet.solvers.snapshot import find_latest
from blobnet.solvers.solver import Solver

WINDOW = 100  # iterations whose mean loss is a point of the curve

OPTIONS = {
    "solver": (str, REQUIRED),      # solver file, beside the recipe
    "encode_net": (str, ""),        # net file that makes the codes; default: the solver's net in the TEST phase
    "blob": (str, REQUIRED),        # whose values are the codes
    "bits": (int, REQUIRED),
    "threshold": (float, 0.0),      # a bit is 1 where the value is at least this
    "max_iter": (int, 0),           # 0: the solver file's
    "weights": (str, ""),           # where to start: a .caffemodel, or the name of a method that ran before
    "overrides": (dict, {}),        # prototxt by layer name, merged into the layer
    "queries": (str, REQUIRED),     # LMDBs in the data folder
    "base": (str, REQUIRED),
    "num_queries": (int, 0),        # only the first so many; 0: all
    "num_base": (int, 0),
    "protocol": (str, "standard"),
    "top_k": (int, 0),              # 0: whole rankings
    "evaluate_at": (list, []),      # iterations whose mAP goes into curve.json
}


def run(trial: Trial) -> dict[str, float]:
    """Train (from the last snapshot, if the trial was interrupted), encode, score.

    Leaves queries.npz, base.npz, the snapshots, and curve.json: {"loss": {iteration: mean over the last 100},
    "mAP": {iteration: value}}.
    """
    options = trial.options
    param = trial_solver(trial, options["solver"], options["max_iter"], options["overrides"])
    solver = get_solver(param, device=trial.device)
    state = find_latest(param.snapshot_prefix)
    if state:
        solver.restore(state)
        trial.note(f"goes on from iteration {solver.iter}")
    elif options["weights"]:
        solver.net.copy_from(_weights(trial))
    net = param.net_param
    if options["encode_net"]:
        net = trial_net(trial, trial.folder / options["encode_net"], options["overrides"])
    curve = _train(trial, solver, net)
    weights, _ = solver.snapshot()
    measures = _score(trial, net, weights)
    _write_curve(trial, curve, solver.iter, measures["mAP"])
    return measures


def footnote(options: dict) -> str:
    """The protocol."""
    counts = [f"{what}: {options[source]}" + (f", the first {options[number]}" if options[number] else "")
              for what, source, number in (("queries", "queries", "num_queries"), ("base", "base", "num_base"))]
    return f"{'; '.join(counts)}. {_protocol(options).describe()}"


def _protocol(options: dict):
    return get_protocol(options["protocol"], top_k=options["top_k"] or None)


def _weights(trial: Trial) -> Path:
    """The file that `weights` means."""
    given = trial.options["weights"]
    for path in (Path(given), trial.folder / given):
        if path.is_file():
            return path
    state = find_latest(str(trial.of_method(given) / "snapshot"))
    if state is None:
        raise DataError(f"weights {given!r}", expected="a file, or a method that has run with this seed",
                        got="neither", hint="list that method before this one")
    return Path(state.replace(".solverstate", ".caffemodel"))


def _train(trial: Trial, solver: Solver, net: Message) -> dict[str, dict[str, float]]:
    """Step to max_iter; the curve so far."""
    path = trial.out / "curve.json"
    curve = json.loads(path.read_text()) if solver.iter and path.exists() else {"loss": {}, "mAP": {}}
    losses: list[float] = []
    solver.add_callback(on_gradients_ready=lambda: losses.append(solver.loss))
    last = solver.param.max_iter
    stops = sorted({last, *range(WINDOW, last, WINDOW), *(n for n in trial.options["evaluate_at"] if n < last)})
    for stop in (stop for stop in stops if stop > solver.iter):
        solver.step(stop - solver.iter)
        if stop % WINDOW == 0 or stop == last:
            curve["loss"][str(stop)] = sum(losses) / len(losses)
            trial.note(f"iteration {stop} of {last}, loss {curve['loss'][str(stop)]:.4f}")
            losses.clear()
        if stop in trial.options["evaluate_at"] and stop < last:
            measures = _score(trial, net, solver.snapshot()[0])
            _write_curve(trial, curve, stop, measures["mAP"])
            trial.note(f"iteration {stop}, mAP {measures['mAP']:.4f}")
    return curve


def _score(trial: Trial, net: Message, weights: str | os.PathLike) -> dict[str, float]:
    """Encode, keep the codes, and score them."""
    options, protocol = trial.options, _protocol(trial.options)
    queries = encode_database(trial, net, weights, options["blob"], options["queries"], options["num_queries"],
                              options["threshold"])
    if queries.bits != options["bits"]:
        raise DataError(f"blob {options['blob']!r}", expected=f"{options['bits']} bits", got=queries.bits)
    queries.save(trial.out / "queries.npz")
    base = None
    if not protocol.query_in_database:
        base = encode_database(trial, net, weights, options["blob"], options["base"], options["num_base"],
                               options["threshold"])
        base.save(trial.out / "base.npz")
    score = evaluate(queries, base, protocol)
    return {"mAP": score.mean_average_precision, f"P@{score.k}": score.precision,
            f"P(r<={score.radius})": score.precision_within}


def _write_curve(trial: Trial, curve: dict, iteration: int, value: float) -> None:
    curve["mAP"][str(iteration)] = value
    with atomic_write(trial.out / "curve.json") as file:
        file.write(json.dumps(curve).encode())
