"""Train a net whose output are hash codes, encode queries and base, and score them."""

from __future__ import annotations

import json
import os
from pathlib import Path

from google.protobuf.message import Message

from blobnet.errors import DataError
from blobnet.hashing.metrics import evaluate
from blobnet.hashing.protocol import Protocol, get_protocol
from blobnet.proto.storage import atomic_write
from blobnet.recipes.measures import RETRIEVAL_MEASURES, retrieval_measures
from blobnet.recipes.nets import trial_net, trial_solver
from blobnet.recipes.options import RETRIEVAL, TRAINING, Option
from blobnet.recipes.sources import check_bits, check_blobs, check_source, encode_source, in_words
from blobnet.recipes.training import make_solver
from blobnet.recipes.trial import Trial
from blobnet.solvers.snapshot import find_latest
from blobnet.solvers.solver import Solver

WINDOW = 100  # iterations whose mean loss is a point of the curve

OPTIONS = TRAINING | {
    "encode_net": Option(str, ""),             # net file that makes the codes; default: the solver's net
    "blob": Option(str),                       # whose values are the codes
    "bits": Option(int, least=1),
    "threshold": Option(float, 0.0),           # a bit is 1 where the value is at least this
    "block_size": Option(int, 0, least=0),     # a bit is 1 for the largest of so many; 0: by the threshold
    "weights": Option(str, ""),                # where to start: a .caffemodel, or the name of a method that ran before
    "top_k": Option(int, 0, least=0),          # 0: whole rankings
    "evaluate_at": Option(list, [], least=1),  # iterations whose mAP goes into curve.json
} | RETRIEVAL
MEASURES = RETRIEVAL_MEASURES


def check(trial: Trial) -> None:
    """Raise the errors of the protocol, of the blob and of the numbers of images."""
    options, protocol = trial.options, _protocol(trial.options)
    _, net = _definitions(trial)
    for name in _sets(protocol):
        size = check_source(trial, net, name)
    if options["top_k"] > size:
        raise DataError(trial.where, "option 'top_k'", expected=f"at most {size}, all that are ranked",
                        got=options["top_k"])
    if options["block_size"] == 1 or options["block_size"] and options["bits"] % options["block_size"]:
        raise DataError(trial.where, "option 'block_size'", expected=f"a divisor of {options['bits']} bits above 1",
                        got=options["block_size"])
    check_bits(trial, options["blob"], *check_blobs(trial, net, options["queries"], options["blob"]))


def run(trial: Trial) -> dict[str, float]:
    """Train (from the last snapshot, if the trial was interrupted), encode, score.

    Leaves queries.npz, base.npz, the snapshots, and curve.json: {"loss": {iteration: mean over the last 100},
    "mAP": {iteration: value}}. Where an interruption divides the 100, that loss is left out.
    """
    options = trial.options
    param, net = _definitions(trial)
    solver = make_solver(trial, param)
    if solver.resume():
        trial.note(f"goes on from iteration {solver.iter}")
    elif options["weights"]:
        solver.net.copy_from(_weights(trial))
    curve = _train(trial, solver, net)
    weights, _ = solver.snapshot()
    measures = _score(trial, net, weights)
    curve["mAP"][str(solver.iter)] = measures["mAP"]
    _write_curve(trial, curve)
    return measures


def footnote(options: dict) -> str:
    """The protocol."""
    return f"{in_words(options)}. {_protocol(options).describe()}"


def _definitions(trial: Trial) -> tuple[Message, Message]:
    """The solver, and the net that makes the codes."""
    param, encode_net = trial_solver(trial), trial.options["encode_net"]
    return param, trial_net(trial, trial.folder / encode_net) if encode_net else param.net_param


def _protocol(options: dict) -> Protocol:
    return get_protocol(options["protocol"], top_k=options["top_k"] or None)


def _sets(protocol: Protocol) -> list[str]:
    """The options that name images; the queries may be the base."""
    return ["queries"] if protocol.query_in_database else ["queries", "base"]


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
    last = solver.param.max_iter
    stops = sorted({last, *range(WINDOW, last, WINDOW), *(n for n in trial.options["evaluate_at"] if n < last)})
    for stop in (stop for stop in stops if stop > solver.iter):
        solver.step(stop - solver.iter)
        if stop % WINDOW == 0 or stop == last:
            losses = solver.losses.last(WINDOW)
            loss = sum(losses) / len(losses)
            if len(losses) == min(WINDOW, stop):
                curve["loss"][str(stop)] = loss
            _write_curve(trial, curve)
            trial.note(f"iteration {stop} of {last}, loss {loss:.4f}")
        if stop in trial.options["evaluate_at"] and stop < last:
            measures = _score(trial, net, solver.snapshot()[0])
            curve["mAP"][str(stop)] = measures["mAP"]
            _write_curve(trial, curve)
            trial.note(f"iteration {stop}, mAP {measures['mAP']:.4f} (protocol {trial.options['protocol']})")
    return curve


def _score(trial: Trial, net: Message, weights: str | os.PathLike) -> dict[str, float]:
    """Encode, keep the codes, and score them."""
    options, protocol = trial.options, _protocol(trial.options)
    codes = {}
    for name in _sets(protocol):
        codes[name] = encode_source(trial, net, weights, options["blob"], options[name], options[f"num_{name}"],
                                    options["threshold"])
        if options["block_size"]:
            codes[name] = codes[name].in_blocks(options["block_size"])
        codes[name].save(trial.out / f"{name}.npz")
    score = evaluate(codes["queries"], codes.get("base"), protocol)
    return retrieval_measures(score)


def _write_curve(trial: Trial, curve: dict) -> None:
    with atomic_write(trial.out / "curve.json") as file:
        file.write(json.dumps(curve).encode())
