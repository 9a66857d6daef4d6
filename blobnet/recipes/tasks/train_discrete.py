"""Train a net and the binary codes of its training images in turn: ADSH and DSDH; encode and score.

The net is known by these names (see prototxt/adsh and prototxt/dsdh):

    TRAIN   inputs data (N, ...), label (N,) or (N, L), and binary (N, K), the codes of these images, -1 and +1; of
            adsh also database (M, K) and database_label, the codes and labels of all images
    TEST    a layer that reads images and makes data and label
    blob    code (N, K), what the net makes of data; its signs are the bits of a query
    layers  pairs, the loss of similarities, and quantization, the EuclideanLoss of code and binary
"""

from __future__ import annotations

import json

import numpy as np

from blobnet.core.context import TEST, TRAIN
from blobnet.core.net import Net
from blobnet.errors import DataError, NetError, close_matches
from blobnet.hashing import adsh, dsdh
from blobnet.hashing.codes import Codes
from blobnet.hashing.discrete_codes import signs
from blobnet.hashing.encode import encode, set_source
from blobnet.hashing.metrics import evaluate
from blobnet.hashing.protocol import get_protocol
from blobnet.hashing.vector_net import fill_inputs, values_of
from blobnet.netdef.load import load
from blobnet.proto.storage import atomic_write
from blobnet.recipes.measures import RETRIEVAL_MEASURES, retrieval_measures
from blobnet.recipes.nets import trial_solver
from blobnet.recipes.options import RETRIEVAL, TRAINING, Option
from blobnet.recipes.sources import check_bits, check_count, check_source, encode_source, image_size, in_words
from blobnet.recipes.training import make_solver
from blobnet.recipes.trial import Trial
from blobnet.solvers.solver import Solver

INPUTS = {"adsh": ("data", "label", "binary", "database", "database_label"), "dsdh": ("data", "label", "binary")}
OPTIONS = {name: option for name, option in TRAINING.items() if name != "max_iter"} | {
    "learner": Option(str),                  # adsh or dsdh
    "bits": Option(int, least=1),
    "rounds": Option(int, 10, least=1),      # each trains the net, then improves the codes
    "epochs": Option(int, 1, least=1),       # how often a round trains with each image of its sample
    "sample": Option(int, 0, least=0),       # images of a round, drawn by the seed; 0: all
    "mu": Option(float, 1),                  # of dsdh: weight of the classifier's errors
    "nu": Option(float, 0.1),                # of dsdh: weight of the squares of the classifier's weights
    "train": Option(str, ""),                # images learned from; default: the base, with the codes that adsh learned
    "num_train": Option(int, 0, least=0),    # only the first so many; 0: all
} | RETRIEVAL
MEASURES = RETRIEVAL_MEASURES


def check(trial: Trial) -> None:
    """Raise the errors of the learner, of its net, of the protocol and of the numbers of images."""
    options = trial.options
    get_protocol(options["protocol"])
    if options["learner"] not in INPUTS:
        raise DataError(trial.where, f"unknown learner {options['learner']!r}",
                        hint=close_matches(options["learner"], INPUTS))
    for name in ("mu", "nu"):
        if options[name] <= 0:
            raise DataError(trial.where, f"option {name!r}", expected="a number above 0", got=options[name])
    definition = trial_solver(trial).net_param
    sizes = {name: check_source(trial, definition, name) for name in ("queries", "base")}
    size = check_source(trial, definition, "train") if options["train"] else check_count(trial, "num_train",
                                                                                        sizes["base"])
    if options["sample"] > size:
        raise DataError(trial.where, "option 'sample'", expected=f"at most {size}, all there are",
                        got=options["sample"])
    net = Net(definition, TRAIN, python_layers=trial.python_layers)
    for names, kind, wanted in ((net.inputs, "input", INPUTS[options["learner"]]),
                                (net.layer_dict, "layer", ("pairs", "quantization"))):
        for name in wanted:
            if name not in names:
                raise NetError(f"net {net.name!r}", f"no {kind} {name!r}", hint=close_matches(name, names))
    check_bits(trial, "code", image_size(net, "code"))


def run(trial: Trial) -> dict[str, float]:
    """Learn, encode, score. Leaves queries.npz, base.npz, the snapshot, and objective.json: for each round the
    objective of the codes before and after they were improved.

    The codes of the base are those that adsh learned, if it learned from the base, and else the net's. A trial that was
    interrupted begins anew.
    """
    options, protocol = trial.options, get_protocol(trial.options["protocol"])
    param = trial_solver(trial)
    images = _images(trial, param.net_param)
    solver = make_solver(trial, param)
    learned, history = learn(trial, solver, images.values.reshape(-1, *solver.net.blobs["data"].shape[1:]),
                             images.labels)
    with atomic_write(trial.out / "objective.json") as file:
        file.write(json.dumps(history).encode())
    weights, _ = solver.snapshot()
    codes = {name: encode_source(trial, param.net_param, weights, "code", options[name], options[f"num_{name}"])
             for name in ("queries", "base")}
    if options["learner"] == "adsh" and not options["train"]:
        base = codes["base"]
        values = np.concatenate([learned[:len(base)].astype(np.float32), base.values[len(learned):]])
        codes["base"] = Codes.from_values(values, labels=base.labels, ids=base.ids, net=base.net, weights=base.weights)
    for name, made in codes.items():
        made.save(trial.out / f"{name}.npz")
    score = evaluate(codes["queries"], None if protocol.query_in_database else codes["base"], protocol)
    return retrieval_measures(score)


def footnote(options: dict) -> str:
    """What was learned from and asked for, and the protocol."""
    first = f" the first {options['num_train']} of" if options["num_train"] else ""
    return (f"{in_words(options)}; learned from{first} {options['train'] or 'the base'}. "
            f"{get_protocol(options['protocol']).describe()}")


def learn(trial: Trial, solver: Solver, data: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, list[list[float]]]:
    """The codes (M, K), -1 and +1, of the images data (M, ...) with labels (M,) or (M, L), and the objective of each
    round before and after its step for the codes; the solver's net learns with them.

    Codes start from random signs. The weight of the codes' distance to the net's values, gamma of adsh and eta of dsdh,
    follows from the loss weights of the net: M/2 times that of quantization, by that of pairs.
    """
    options, net, random = trial.options, solver.net, np.random.default_rng(trial.seed)
    batch, size = len(net.blobs["data"].data), len(data)
    weight = size / 2 * net.layer_dict["quantization"].loss_weights[0] / net.layer_dict["pairs"].loss_weights[0]
    codes = signs(random.normal(size=(size, options["bits"])))
    history: list[list[float]] = []
    for i in range(options["rounds"]):
        rows = random.permutation(size)[:options["sample"] or None]
        if options["learner"] == "adsh":
            fill_inputs(net, database=codes, database_label=labels)
        for _ in range(options["epochs"]):
            order = random.permutation(rows)
            for start in range(0, len(order), batch):
                chosen = order[start:start + batch]
                fill_inputs(net, data=data[chosen], label=labels[chosen], binary=codes[chosen])
                solver.step(1)
        values = values_of(net, "code", data[rows], piece=batch)
        if options["learner"] == "adsh":
            codes, costs = adsh.improve_codes(codes, rows, values, labels, weight)
        else:
            codes[rows], costs = dsdh.improve_codes(codes[rows], values, labels[rows], options["mu"], options["nu"],
                                                    weight)
        history.append([costs[0], costs[-1]])
        trial.note(f"round {i + 1} of {options['rounds']}, objective of the codes {costs[0]:.6g} -> {costs[-1]:.6g}")
    return codes, history


def _images(trial: Trial, definition) -> Codes:
    """The images that are learned from, as the net reads them in TEST: values (M, D) and labels."""
    options = trial.options
    test = load(definition, TEST)
    source = options["train"] or options["base"]
    size = set_source(test, f"net {test.name!r}", trial.data / source)[1]
    count = options["num_train"] or (size if options["train"] else options["num_base"] or size)
    return encode(Net(test, TEST, python_layers=trial.python_layers), "data", count)
