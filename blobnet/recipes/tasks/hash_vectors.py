"""Learn hash codes of vectors, the pixels of small images, from a whole training set at once; encode and score."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from blobnet.core.context import TRAIN
from blobnet.core.net import Net
from blobnet.data.batches.datums import DatumBatches
from blobnet.data.images.transformer import Transformer
from blobnet.data.stores.ids import first_ids
from blobnet.errors import DataError, close_matches
from blobnet.hashing.bdnn import alternate
from blobnet.hashing.codes import Codes
from blobnet.hashing.discrete_codes import signs
from blobnet.hashing.linear_codes import METHODS, fit_itq
from blobnet.hashing.metrics import evaluate
from blobnet.hashing.protocol import get_protocol
from blobnet.hashing.vector_net import fill_inputs, objective, start_from_axes, values_of
from blobnet.proto.messages import new
from blobnet.proto.storage import atomic_write
from blobnet.recipes.nets import trial_solver
from blobnet.recipes.options import RETRIEVAL, Option
from blobnet.recipes.sources import check_bits, check_count, image_size, in_words, open_source
from blobnet.recipes.trial import Trial
from blobnet.solvers import get_solver
from blobnet.solvers.solver import Solver
from blobnet.view.curves import plot_loss

POINTS = 20  # of the objective's curve that a gradient solver leaves

OPTIONS = {
    "learner": Option(str),                  # lsh, pcah, itq; bdnn: weights and codes in turn; gradient: solver alone
    "bits": Option(int, least=1),
    "solver": Option(str, ""),               # of bdnn and gradient: solver file, beside the recipe
    "rounds": Option(int, 10, least=1),      # of bdnn
    "steps": Option(int, 2, least=1),        # of bdnn: iterations of the solver in a half round
    "max_iter": Option(int, 0, least=0),     # of gradient; 0: the solver file's
    "length": Option(float, 1.0),            # every image's vector gets it, before the mean is subtracted
    "num_train": Option(int, 0, least=0),    # so many images of the base, drawn by the seed; 0: all
} | RETRIEVAL
MEASURES = ("mAP", "P@N", "P(r<=2)")

Encoder = Callable[[np.ndarray], np.ndarray]


def check(trial: Trial) -> None:
    """Raise the errors of the learner, of its net, of the protocol and of the numbers of images."""
    options = trial.options
    get_protocol(options["protocol"])
    if options["learner"] not in LEARNERS:
        raise DataError(trial.where, f"unknown learner {options['learner']!r}",
                        hint=close_matches(options["learner"], LEARNERS))
    if options["length"] <= 0:
        raise DataError(trial.where, "option 'length'", expected="a number above 0", got=options["length"])
    check_count(trial, "num_queries", len(open_source(trial, "queries")))
    check_count(trial, "num_train", check_count(trial, "num_base", len(open_source(trial, "base"))))
    if options["learner"] not in METHODS:
        if not options["solver"]:
            raise DataError(trial.where, f"learner {options['learner']!r} needs a solver",
                            hint="add solver: FILE.prototxt")
        net = Net(trial_solver(trial).net_param, TRAIN, python_layers=trial.python_layers)
        check_bits(trial, "code", image_size(net, "code"))


def run(trial: Trial) -> dict[str, float]:
    """Learn, encode, score. Leaves queries.npz, base.npz and, of nets, the snapshot and objective.json, a list."""
    options = trial.options
    sets = {name: _vectors(trial, name) for name in ("queries", "base")}
    data, labels = sets["base"]
    chosen = np.random.default_rng(trial.seed).permutation(len(data))[:options["num_train"] or None]
    mean = data[chosen].mean(axis=0)
    encode = LEARNERS[options["learner"]](trial, data[chosen] - mean, labels[chosen])
    codes = {name: Codes.from_values(encode(vectors - mean), labels=of,
                                     ids=first_ids(open_source(trial, name).keys(), len(of)))
             for name, (vectors, of) in sets.items()}
    for name, made in codes.items():
        made.save(trial.out / f"{name}.npz")
    protocol = get_protocol(options["protocol"])
    score = evaluate(codes["queries"], None if protocol.query_in_database else codes["base"], protocol)
    return {"mAP": score.mean_average_precision, f"P@{score.k}": score.precision,
            f"P(r<={score.radius})": score.precision_within}


def footnote(options: dict) -> str:
    """What was learned from and asked for, and the protocol."""
    learned = f"{options['num_train']} images of it, drawn by the seed" if options["num_train"] else "all of it"
    return f"{in_words(options)}; learned from {learned}. {get_protocol(options['protocol']).describe()}"


def report(finished: Sequence[tuple[Trial, dict]], out: Path) -> None:
    """Draw the objective of every net into objective.png beside objective.json, but for its start, far above."""
    for trial, _ in finished:
        path = trial.out / "objective.json"
        if path.exists():
            history = json.loads(path.read_text())
            plot_loss(range(1, len(history)), history[1:], trial.out / "objective.png")


def _vectors(trial: Trial, name: str) -> tuple[np.ndarray, np.ndarray]:
    """The queries or the base as rows (N, D) of the length asked for, and their labels (N,)."""
    reader = open_source(trial, name)
    transformer = Transformer(new("TransformationParameter"), False, reader.where)
    images, labels = DatumBatches(reader, transformer, trial.options[f"num_{name}"] or len(reader))(0)
    vectors = images.reshape(len(images), -1)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors * (trial.options["length"] / np.maximum(lengths, 1)), labels


def _linear(trial: Trial, data: np.ndarray, labels: np.ndarray) -> Encoder:
    return METHODS[trial.options["learner"]](data, trial.options["bits"], trial.seed).encode


def _bdnn(trial: Trial, data: np.ndarray, labels: np.ndarray) -> Encoder:
    """Weights and codes in turn, from the codes of ITQ."""
    options, solver = trial.options, _solver(trial)
    start = signs(fit_itq(data, options["bits"], trial.seed).encode(data))
    history = alternate(solver, data, start, labels if "label" in solver.net.inputs else None, options["rounds"],
                        options["steps"], trial.note)
    return _finish(trial, solver, history)


def _gradient(trial: Trial, data: np.ndarray, labels: np.ndarray) -> Encoder:
    """The solver alone, from the principal axes."""
    solver = _solver(trial)
    fill_inputs(solver.net, data=data, **({"label": labels} if "label" in solver.net.inputs else {}))
    start_from_axes(solver.net, "code")
    history, last = [objective(solver)], solver.param.max_iter
    for stop in np.linspace(0, last, POINTS + 1).astype(int)[1:]:
        solver.step(int(stop) - solver.iter)
        history.append(objective(solver))
    trial.note(f"iteration {last}, objective {history[0]:.6g} -> {history[-1]:.6g}")
    return _finish(trial, solver, history)


def _solver(trial: Trial) -> Solver:
    return get_solver(trial_solver(trial), device=trial.device, python_layers=trial.python_layers)


def _finish(trial: Trial, solver: Solver, history: list[float]) -> Encoder:
    """Keep the weights and the objective; the net as an encoder."""
    solver.snapshot()
    with atomic_write(trial.out / "objective.json") as file:
        file.write(json.dumps(history).encode())
    return lambda vectors: values_of(solver.net, "code", vectors)


LEARNERS = {name: _linear for name in METHODS} | {"bdnn": _bdnn, "gradient": _gradient}
