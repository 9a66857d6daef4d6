"""Learn hash codes of vectors from a whole training set at once; encode and score.

queries and base are databases, whose pixels are the vectors, or files of codes, NAME.npz, whose values are: features of
any blob, as `blobnet encode` writes them.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from blobnet.core.context import TRAIN
from blobnet.core.net import Net
from blobnet.errors import DataError, close_matches
from blobnet.hashing.bdnn import alternate
from blobnet.hashing.codes import Codes
from blobnet.hashing.discrete_codes import signs
from blobnet.hashing.learners import SUPERVISED, UNSUPERVISED
from blobnet.hashing.linear_codes import fit_itq
from blobnet.hashing.metrics import evaluate, mean_average_precision
from blobnet.hashing.protocol import get_protocol
from blobnet.hashing.vector_net import fill_inputs, objective, start_from_axes, values_of
from blobnet.proto.storage import atomic_write
from blobnet.recipes.measures import RETRIEVAL_MEASURES, retrieval_measures
from blobnet.recipes.nets import trial_solver
from blobnet.recipes.options import RETRIEVAL, Option
from blobnet.recipes.sources import check_bits, check_count, image_size, in_words
from blobnet.recipes.training import make_solver
from blobnet.recipes.trial import Trial
from blobnet.recipes.vectors import count_vectors, nearest, read_vectors
from blobnet.solvers.solver import Solver
from blobnet.view.curves import plot_loss

POINTS = 20  # of the objective's curve that a gradient solver leaves

OPTIONS = {
    "learner": Option(str),                  # of UNSUPERVISED, SUPERVISED; bdnn: weights and codes in turn; gradient
    "bits": Option(int, least=1),
    "solver": Option(str, ""),               # of bdnn and gradient: solver file, beside the recipe
    "anchors": Option(int, 300, least=1),    # of ksh and sdh: images, drawn by the seed, whose kernels are learned from
    "rounds": Option(int, 10, least=1),      # of bdnn
    "steps": Option(int, 2, least=1),        # of bdnn: iterations of the solver in a half round
    "max_iter": Option(int, 0, least=0),     # of gradient; 0: the solver file's
    "length": Option(float, 1.0),            # every image's vector gets it, before the mean is subtracted
    "divide": Option(float, 0.0, least=0),   # every number is divided by it, whatever length; 0: no
    "centre": Option(bool, True),            # whether the mean of what is learned from is subtracted
    "train": Option(str, ""),                # images learned from; default: the base
    "num_train": Option(int, 0, least=0),    # so many of them, drawn by the seed; 0: all
    "num_validation": Option(int, 0, least=0),  # of bdnn: so many of them held out, whose mAP says when to stop
} | RETRIEVAL
MEASURES = RETRIEVAL_MEASURES


class Part(NamedTuple):
    """Vectors (N, D) and their labels (N,)."""

    data: np.ndarray
    labels: np.ndarray


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
    check_count(trial, "num_queries", count_vectors(trial, "queries"))
    size = check_count(trial, "num_base", count_vectors(trial, "base"))
    if options["train"]:
        size = count_vectors(trial, "train")
    check_count(trial, "num_validation", size - 1)
    learned = check_count(trial, "num_train", size - options["num_validation"])
    if options["learner"] in SUPERVISED:
        check_count(trial, "anchors", learned)
    elif options["learner"] not in UNSUPERVISED:
        if not options["solver"]:
            raise DataError(trial.where, f"learner {options['learner']!r} needs a solver",
                            hint="add solver: FILE.prototxt")
        net = Net(trial_solver(trial).net_param, TRAIN, python_layers=trial.python_layers)
        check_bits(trial, "code", image_size(net, "code"))


def run(trial: Trial) -> dict[str, float]:
    """Learn, encode, score. Leaves queries.npz, base.npz and, of nets, the snapshot and objective.json, a list."""
    options = trial.options
    sets = {name: read_vectors(trial, name) for name in ("queries", "base")}
    data, labels, _ = read_vectors(trial, "train") if options["train"] else sets["base"]
    drawn = np.random.default_rng(trial.seed).permutation(len(data))
    held, chosen = np.split(drawn[::-1], [options["num_validation"]])
    chosen = chosen[::-1][:options["num_train"] or None]
    mean = data[chosen].mean(axis=0) if options["centre"] else np.zeros(1, data.dtype)
    parts = [Part(vectors - mean, of) for vectors, of in ((data[chosen], labels[chosen]), (data[held], labels[held]))]
    encode = LEARNERS[options["learner"]](trial, *parts)
    codes = {name: Codes.from_values(encode(vectors - mean), labels=of, ids=ids)
             for name, (vectors, of, ids) in sets.items()}
    for name, made in codes.items():
        made.save(trial.out / f"{name}.npz")
    protocol = get_protocol(options["protocol"])
    near = nearest(protocol, sets["queries"][0], sets["base"][0])
    score = evaluate(codes["queries"], None if protocol.query_in_database else codes["base"], protocol,
                     neighbours=near)
    return retrieval_measures(score)


def footnote(options: dict) -> str:
    """What was learned from and asked for, and the protocol."""
    source = options["train"] or "the base"
    learned = f"{options['num_train']} images of {source}, drawn by the seed" if options["num_train"] else source
    held = f"; {options['num_validation']} other images of it say when to stop" if options["num_validation"] else ""
    return f"{in_words(options)}; learned from {learned}{held}. {get_protocol(options['protocol']).describe()}"


def report(finished: Sequence[tuple[Trial, dict]], out: Path) -> None:
    """Draw the objective of every net into objective.png beside objective.json, but for its start, far above."""
    for trial, _ in finished:
        path = trial.out / "objective.json"
        if path.exists():
            history = json.loads(path.read_text())
            plot_loss(range(1, len(history)), history[1:], trial.out / "objective.png")


def _unsupervised(trial: Trial, train: Part, held: Part) -> Encoder:
    return UNSUPERVISED[trial.options["learner"]](train.data, trial.options["bits"], trial.seed).encode


def _supervised(trial: Trial, train: Part, held: Part) -> Encoder:
    options = trial.options
    return SUPERVISED[options["learner"]](*train, options["bits"], trial.seed, options["anchors"]).encode


def _bdnn(trial: Trial, train: Part, held: Part) -> Encoder:
    """Weights and codes in turn, from the codes of ITQ; with images held out, until their mAP rises no more."""
    options, protocol = trial.options, get_protocol(trial.options["protocol"])
    solver = make_solver(trial, trial_solver(trial))
    near = nearest(protocol, held.data, train.data) if len(held.data) else None
    apart = dataclasses.replace(protocol, query_in_database=False, num_queries=None, num_base=None)

    def encode(vectors: np.ndarray) -> np.ndarray:
        return values_of(solver.net, "code", vectors)

    def score() -> float:
        queries, base = (Codes.from_values(encode(part.data), labels=part.labels) for part in (held, train))
        return mean_average_precision(queries, base, apart, near)

    start = signs(fit_itq(train.data, options["bits"], trial.seed).encode(train.data))
    history = alternate(solver, train.data, start, train.labels if "label" in solver.net.inputs else None,
                        options["rounds"], options["steps"], trial.note, options["centre"],
                        score if len(held.data) else None, keep=True)
    return _finish(trial, solver, history)


def _gradient(trial: Trial, train: Part, held: Part) -> Encoder:
    """The solver alone, from the principal axes."""
    solver = make_solver(trial, trial_solver(trial))
    fill_inputs(solver.net, data=train.data, **({"label": train.labels} if "label" in solver.net.inputs else {}))
    start_from_axes(solver.net, "code", trial.options["centre"])
    history, last = [objective(solver)], solver.param.max_iter
    for stop in np.linspace(0, last, POINTS + 1).astype(int)[1:]:
        solver.step(int(stop) - solver.iter)
        history.append(objective(solver))
    trial.note(f"iteration {last}, objective {history[0]:.6g} -> {history[-1]:.6g}")
    return _finish(trial, solver, history)


def _finish(trial: Trial, solver: Solver, history: list[float]) -> Encoder:
    """Keep the weights and the objective; the net as an encoder."""
    solver.snapshot()
    with atomic_write(trial.out / "objective.json") as file:
        file.write(json.dumps(history).encode())
    return lambda vectors: values_of(solver.net, "code", vectors)


LEARNERS = {name: _unsupervised for name in UNSUPERVISED} | {name: _supervised for name in SUPERVISED}
LEARNERS |= {"bdnn": _bdnn, "gradient": _gradient}
