"""Train a classifier, take the values of one of its blobs as features of images, search by them, and score."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
from google.protobuf.message import Message

from blobnet.errors import DataError
from blobnet.hashing.codes import Codes
from blobnet.hashing.metrics import evaluate
from blobnet.hashing.principal_components import principal_components
from blobnet.hashing.protocol import Protocol, get_protocol
from blobnet.hashing.real_index import unit_rows
from blobnet.recipes.nets import trial_solver
from blobnet.recipes.options import RETRIEVAL, Option
from blobnet.recipes.sources import check_blobs, check_source, encode_source, in_words
from blobnet.recipes.training import make_solver
from blobnet.recipes.trial import Trial

OPTIONS = {
    "solver": Option(str),                   # solver file, beside the recipe; its net gives the features
    "max_iter": Option(int, 0, least=0),     # 0: the solver file's
    "nonlinearity": Option(str, ""),         # the layer type that takes the place of Sigmoid in the net
    "pretrained": Option(str, ""),           # a .caffemodel: if the data folder has it, nothing is trained
    "net_of": Option(str, ""),               # a method that ran before, whose weights serve here too
    "scores": Option(str, ""),               # blob of class scores: the accuracy on all of `queries` is measured
    "blob": Option(str),                     # whose values are the features
    "unit_length": Option(bool, False),      # divide each feature by its length, before the principal components
    "components": Option(int, 0, least=0),   # keep so many principal components of the base; 0: the values as they are
    "metric": Option(str, "l2"),             # or cosine, inner-product
} | RETRIEVAL
MEASURES = ("accuracy", "mAP", "P@N")
WEIGHTS = "weights.caffemodel"


def check(trial: Trial) -> None:
    """Raise the errors of the protocol, of the blobs and of the numbers of images."""
    options = trial.options
    _protocol(options)
    net = _solver(trial).net_param
    check_source(trial, net, "queries")
    base = check_source(trial, net, "base")
    width, *_ = check_blobs(trial, net, options["queries"], *filter(None, [options["blob"], options["scores"]]))
    if options["components"] > min(width, base - 1):
        raise DataError(trial.where, "option 'components'", got=options["components"],
                        expected=f"at most {min(width, base - 1)}, of {base} images with {width} numbers each")


def run(trial: Trial) -> dict[str, float]:
    """Train or take weights, which are left in weights.caffemodel; extract, search, score.

    Measures: accuracy if `scores` is given, mAP, P@100 (or fewer, if the base is smaller).
    """
    options, solver = trial.options, _solver(trial)
    weights = _weights(trial, solver)
    measures = {}
    if options["scores"]:
        scores = encode_source(trial, solver.net_param, weights, options["scores"], options["queries"])
        measures["accuracy"] = float((scores.values.argmax(axis=1) == scores.labels).mean())
    queries, base = (encode_source(trial, solver.net_param, weights, options["blob"], options[name],
                                     options[f"num_{name}"]) for name in ("queries", "base"))
    protocol = _protocol(options)
    queries, base = _prepared(queries, base, options)
    score = evaluate(queries, None if protocol.query_in_database else base, protocol)
    return measures | {"mAP": score.mean_average_precision, f"P@{score.k}": score.precision}


def footnote(options: dict) -> str:
    """The protocol."""
    return f"{in_words(options)}. {_protocol(options).describe()}"


def _solver(trial: Trial) -> Message:
    """The solver with its net, whose Sigmoids may have become another type."""
    solver, nonlinearity = trial_solver(trial), trial.options["nonlinearity"]
    for layer in solver.net_param.layer:
        if nonlinearity and layer.type == "Sigmoid":
            layer.type = nonlinearity
    return solver


def _protocol(options: dict) -> Protocol:
    return get_protocol(options["protocol"], metric=options["metric"])


def _weights(trial: Trial, solver: Message) -> Path:
    """The file in the trial's folder with the weights: another method's, the pretrained, or those trained now."""
    options, path = trial.options, trial.out / WEIGHTS
    pretrained = trial.data / options["pretrained"]
    if options["net_of"]:
        given = trial.of_method(options["net_of"]) / WEIGHTS
        if not given.exists():
            raise DataError(f"net_of {options['net_of']!r}", "has not run with this seed",
                            hint="list that method before this one")
        return given
    if options["pretrained"] and pretrained.is_file():
        trial.note(f"takes the weights of {pretrained}")
        shutil.copyfile(pretrained, path)
        return path
    training = make_solver(trial, solver)
    training.step(solver.max_iter)
    trial.note(f"{training.iter} iterations, loss {training.loss:.4f}")
    training.net.save(path)
    return path


def _prepared(queries: Codes, base: Codes, options: dict) -> list[Codes]:
    """The features as they are searched."""
    values = [codes.values for codes in (queries, base)]
    if options["unit_length"]:
        values = [unit_rows(np.array(rows)) for rows in values]
    if options["components"]:
        found = principal_components(values[1], options["components"])
        values = [found.project(rows) for rows in values]
    return [Codes.from_values(rows, labels=codes.labels) for rows, codes in zip(values, (queries, base))]
