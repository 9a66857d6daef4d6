"""Alternating optimization on scikit-learn's digits."""

import numpy as np
import pytest
from sklearn.datasets import load_digits

from blobnet.core.context import TRAIN
from blobnet.core.net import Net
from blobnet.errors import DataError, NetError, SolverError
from blobnet.hashing.bdnn import alternate, improve_codes
from blobnet.hashing.codes import Codes
from blobnet.hashing.discrete_codes import signs
from blobnet.hashing.linear_codes import fit_itq
from blobnet.hashing.metrics import mean_average_precision
from blobnet.hashing.vector_net import fill_inputs, objective, start_from_axes, values_of
from blobnet.proto.messages import new
from blobnet.proto.text import parse
from blobnet.solvers import get_solver
from blobnet.solvers.types import lbfgs

BITS = 8
ENCODER = """
name: "tiny"
layer { name: "data" type: "Input" top: "data" input_param { shape { dim: 10 dim: 64 } } }
layer { name: "binary" type: "Input" top: "binary" input_param { shape { dim: 10 dim: 8 } } }
layer { name: "ip1" type: "InnerProduct" bottom: "data" top: "ip1" param { } param { decay_mult: 0 }
  inner_product_param { num_output: 20 } }
layer { name: "sigmoid1" type: "Sigmoid" bottom: "ip1" top: "ip1" }
layer { name: "code" type: "InnerProduct" bottom: "ip1" top: "code" param { } param { decay_mult: 0 }
  inner_product_param { num_output: 8 } }
layer { name: "equality" type: "EuclideanLoss" bottom: "code" bottom: "binary" top: "equality" loss_weight: EQUAL }
layer { name: "independence" type: "IndependenceLoss" bottom: "code" top: "independence" loss_weight: 0.1 }
layer { name: "balance" type: "BalanceLoss" bottom: "code" top: "balance" loss_weight: 1e-4 }
"""
UNSUPERVISED = ENCODER.replace("EQUAL", "0.1") + """
layer { name: "decoder" type: "InnerProduct" bottom: "binary" top: "decoder" param { } param { decay_mult: 0 }
  inner_product_param { num_output: 64 } }
layer { name: "reconstruction" type: "EuclideanLoss" bottom: "decoder" bottom: "data" top: "reconstruction" }
"""
SUPERVISED = ENCODER.replace("EQUAL", "5") + """
layer { name: "label" type: "Input" top: "label" input_param { shape { dim: 10 } } }
layer { name: "pairs" type: "PairwiseLabelLoss" bottom: "code" bottom: "label" top: "pairs" }
"""
X, Y = load_digits(return_X_y=True)
X = X / 16 - (X / 16)[:600].mean(axis=0)
X, Y, QUERIES, THEIRS = X[:600], Y[:600], X[600:900], Y[600:900]


def solver_of(net, kind="LBFGS", dtype="float64", **settings):
    return get_solver(new("SolverParameter", type=kind, net_param=parse(net, "NetParameter"), random_seed=1,
                          weight_decay=1e-4, solver_mode=0, **settings), dtype=dtype)


def train(net, rounds=3, dtype="float64"):
    solver = solver_of(net, dtype=dtype)
    start = signs(fit_itq(X, BITS, 1).encode(X))
    labels = Y if "label" in solver.net.inputs else None
    return solver, alternate(solver, X, start, labels, rounds=rounds, steps=1)


@pytest.fixture(scope="module", params=[UNSUPERVISED, SUPERVISED], ids=["unsupervised", "supervised"])
def trained(request):
    return train(request.param)


def test_the_objective_never_rises(trained):
    solver, history = trained
    assert len(history) == 2 + 2 * 3
    assert all(after <= before + 1e-12 * before for before, after in zip(history, history[1:]))
    assert history[-1] < 0.95 * history[1] < 0.95 * history[0]
    assert objective(solver) == pytest.approx(history[-1], rel=1e-12)


def test_the_objective_is_the_papers_sum(trained):
    solver, history = trained
    net, m = solver.net, len(X)
    h, b = (net.blobs[name].data for name in ("code", "binary"))
    weights = {name: blobs[0].data for name, blobs in net.params.items()}
    value = 1e-4 / 2 * sum((w ** 2).sum() for w in weights.values())
    value += 0.1 / 2 * ((h.T @ h / m - np.eye(BITS)) ** 2).sum() + 1e-4 / (2 * m) * (h.sum(axis=0) ** 2).sum()
    if "decoder" in weights:
        reconstruction = b @ weights["decoder"].T + net.params["decoder"][1].data
        value += ((X - reconstruction) ** 2).sum() / (2 * m) + 0.1 / (2 * m) * ((h - b) ** 2).sum()
    else:
        similarity = np.where(Y[:, None] == Y, 1, -1)
        value += ((h @ h.T / BITS - similarity) ** 2).sum() / (2 * m) + 5 / (2 * m) * ((h - b) ** 2).sum()
    assert history[-1] == pytest.approx(value, rel=1e-6)  # options are float32


def test_better_codes_for_the_same_weights(trained):
    solver, _ = trained
    net = solver.net
    kept = net.blobs["binary"].data.copy()
    fill_inputs(net, binary=signs(np.random.default_rng(2).normal(size=kept.shape)))
    costs = [objective(solver)]
    for _ in range(2):
        codes = improve_codes(net)
        assert set(codes.ravel()) == {-1.0, 1.0}
        fill_inputs(net, binary=codes)
        costs.append(objective(solver))
    assert costs[0] > costs[1] >= costs[2] - 1e-12
    assert costs[1] == pytest.approx(costs[2], rel=0.02)  # one call goes nearly all the way
    fill_inputs(net, binary=kept)
    objective(solver)


def test_supervision_and_learning_help():
    def score(encode):
        return mean_average_precision(*(Codes.from_values(encode(values), labels=labels)
                                        for values, labels in ((QUERIES, THEIRS), (X, Y))))

    nets = {name: train(net, dtype="float32")[0].net for name, net in (("uh", UNSUPERVISED), ("sh", SUPERVISED))}
    scores = {name: score(lambda values, net=net: values_of(net, "code", values)) for name, net in nets.items()}
    scores["random"] = score(lambda values: values @ np.random.default_rng(1).normal(size=(64, BITS)))
    assert scores["sh"] > scores["uh"] + 0.1 > scores["random"] + 0.2


def test_a_second_training_of_a_solver_learns_too(monkeypatch):
    monkeypatch.setattr(lbfgs, "STEPS", 3)
    solver = solver_of(UNSUPERVISED)
    ends = [alternate(solver, X, signs(X[:, 10:18]), rounds=1, steps=1)[-1] for _ in range(2)]
    assert solver.iter == 4 and ends[0] == pytest.approx(ends[1], rel=1e-9)


def test_a_rise_is_an_error():
    solver = solver_of(UNSUPERVISED, "SGD", base_lr=50, lr_policy="fixed")
    with pytest.raises(SolverError, match="objective rose with the weights.*expected at most"):
        alternate(solver, X, signs(X[:, 10:18]), rounds=2)


def test_layers_start_from_principal_axes():
    net = Net(parse(UNSUPERVISED, "NetParameter"), TRAIN, dtype="float64")
    net.params["ip1"][1].data[...] = 3
    decoder = net.params["decoder"][0].data.copy()
    fill_inputs(net, data=X, binary=signs(X[:, :BITS]))
    start_from_axes(net, "code")
    weight, bias = (blob.data for blob in net.params["ip1"])
    values = X @ weight.T
    variances = np.linalg.eigvalsh(np.cov(X.T, bias=True))[:-21:-1]
    np.testing.assert_allclose(np.cov(values.T, bias=True), np.diag(variances), atol=1e-10)
    assert not bias.any()
    code = 1 / (1 + np.exp(-values)) @ net.params["code"][0].data.T
    covariance = np.cov(code.T)
    np.testing.assert_allclose(covariance, np.diag(np.diag(covariance)), atol=1e-10)
    assert np.all(np.diff(np.diag(covariance)) <= 0)
    np.testing.assert_array_equal(net.params["decoder"][0].data, decoder)  # comes after the code


def test_values_come_in_pieces():
    net = Net(parse(UNSUPERVISED, "NetParameter"), TRAIN, dtype="float64", random_seed=3)
    for name in ("ip1", "code"):
        net.params[name][0].data[...] = np.random.default_rng(3).normal(size=net.params[name][0].shape)
    whole = values_of(net, "code", QUERIES)
    assert whole.shape == (300, BITS)
    np.testing.assert_allclose(values_of(net, "code", QUERIES, piece=77), whole, rtol=1e-12)


@pytest.mark.parametrize("act", [
    lambda net: fill_inputs(net, date=X), lambda net: values_of(net, "codes", X),
    lambda net: start_from_axes(net, "codes")])
def test_unknown_names(act):
    net = Net(parse(UNSUPERVISED, "NetParameter"), TRAIN)
    with pytest.raises(NetError, match="net 'tiny': no .*did you mean"):
        act(net)


class Cut(Exception):
    """Ends a training in the middle."""


def cut_after(solver, iterations):
    class Watcher:
        def after_update(self, iteration, rate):
            if iteration == iterations:
                raise Cut

    solver.watch(Watcher())


def weights(solver):
    return [blob.data.copy() for blobs in solver.net.params.values() for blob in blobs]


def in_turn(prefix, net=UNSUPERVISED, cut=0, **given):
    """A training of three rounds of two iterations, which `cut` may end after some of its eight."""
    solver = solver_of(net, dtype="float32", snapshot_prefix=str(prefix))
    if cut:
        cut_after(solver, cut)
    labels = Y if "label" in solver.net.inputs else None
    return solver, lambda: alternate(solver, X, signs(fit_itq(X, BITS, 1).encode(X)), labels, 3, 2, **given)


@pytest.mark.parametrize("net", [UNSUPERVISED, SUPERVISED], ids=["unsupervised", "supervised"])
@pytest.mark.parametrize("cuts", [(1,), (2, 3), (4, 7, 8)], ids=str)
def test_a_training_goes_on_bit_for_bit(tmp_path, net, cuts, monkeypatch):
    monkeypatch.setattr(lbfgs, "STEPS", 4)
    solver, whole = in_turn(tmp_path / "whole", net, keep=True)
    history = whole()
    for cut in cuts:
        with pytest.raises(Cut):
            in_turn(tmp_path / "run", net, cut, keep=True)[1]()
    notes = []
    resumed, rest = in_turn(tmp_path / "run", net, keep=True, note=notes.append)
    assert rest() == history
    assert notes[0] == f"goes on from iteration {cuts[-1] - 1}"  # the last that was kept
    for mine, theirs in zip(weights(resumed) + resumed.history, weights(solver) + solver.history, strict=True):
        np.testing.assert_array_equal(mine, theirs)
    assert len([*tmp_path.glob("run_iter_*")]) == 2  # weights and state, the last ones alone


def test_the_last_round_is_the_first_without_a_better_score(tmp_path, monkeypatch):
    """Scores of rounds 1, 2, 3: the third is no better, so the second's weights are those that stay."""
    monkeypatch.setattr(lbfgs, "STEPS", 4)
    kept, scores = [], iter([0.3, 0.5, 0.5])
    solver, train_it = in_turn(tmp_path / "run", score=lambda: kept.append(weights(solver)) or next(scores), keep=True)
    history = train_it()
    assert len(history) == 2 + 2 * 3 and len(kept) == 3
    for mine, second, third in zip(weights(solver), kept[1], kept[2], strict=True):
        np.testing.assert_array_equal(mine, second)
        assert (second != third).any()
    with np.load(tmp_path / "run_codes.npz") as file:
        assert file["scores"].tolist() == [0.3, 0.5]
    scores = iter([0.3, 0.2])
    other, train_it = in_turn(tmp_path / "other", score=lambda: next(scores))
    assert len(train_it()) == 2 + 2 * 2 and not [*tmp_path.glob("other*")]


def test_each_half_round_begins_without_memory(tmp_path, monkeypatch):
    """Codes change the objective: its curvature is learned anew. One half round is one optimization of 2 iterations."""
    monkeypatch.setattr(lbfgs, "STEPS", 1)
    solver, train_it = in_turn(tmp_path / "run")
    filled = []
    solver.add_callback(on_start=lambda: filled.append(sum(array.any() for array in solver.history)))
    train_it()
    arrays = len(solver.net.parameters) * 2
    assert filled == [0, arrays] * 4


@pytest.mark.parametrize("damage, message", [
    (lambda folder: (folder / "run_codes.npz").write_bytes(b"PK no"), "run_codes.npz: not a whole file of codes"),
    (lambda folder: np.savez(folder / "run_codes.npz", half=1), "not a whole file of codes .*binary"),
    (lambda folder: np.savez(folder / "run_codes.npz", half=1, binary=np.ones((600, 4)), history=[1], scores=[]),
     r"expected codes \(600, 8\) and weights of this net, got codes \(600, 4\)"),
    (lambda folder: [path.unlink() for path in folder.glob("run_iter*")], "expected a snapshot of half round 1 "),
])
def test_files_that_do_not_go_together(tmp_path, damage, message, monkeypatch):
    monkeypatch.setattr(lbfgs, "STEPS", 1)
    with pytest.raises(Cut):
        in_turn(tmp_path / "run", cut=4, keep=True)[1]()
    damage(tmp_path)
    with pytest.raises((DataError, SolverError), match=message):
        in_turn(tmp_path / "run", keep=True)[1]()


def test_axes_about_0():
    """Without centring, the first layer starts from the eigenvectors of the mean products of the numbers."""
    net = Net(parse(UNSUPERVISED, "NetParameter"), TRAIN, dtype="float64")
    data = X + 0.5
    fill_inputs(net, data=data, binary=signs(X[:, :BITS]))
    start_from_axes(net, "code", centre=False)
    values = data @ net.params["ip1"][0].data.T
    largest = np.linalg.eigvalsh(data.T @ data)[:-21:-1]
    np.testing.assert_allclose(values.T @ values, np.diag(largest), atol=1e-7 * largest[0])
