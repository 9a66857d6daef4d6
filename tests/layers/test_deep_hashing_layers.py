"""The loss terms of binary deep neural networks and of deep hashing, written out pair by pair and bit by bit."""

import numpy as np
import pytest
from layer_rows import build

from blobnet.core.context import TRAIN
from blobnet.core.net import Net
from blobnet.errors import ShapeError
from blobnet.proto.text import parse

RNG = np.random.default_rng(7)
SHAPES = [(2, 1), (6, 4), (9, 3), (30, 8)]


def pairs_of(codes, labels):
    """(alike, u, v) for all ordered pairs, one with itself included."""
    return [(int(a) == int(b), u, v) for a, u in zip(labels, codes) for b, v in zip(labels, codes)]


def balance(u, labels):
    return sum(sum(column) ** 2 for column in u.T) / (2 * len(u))


def independence(u, labels):
    n, k = u.shape
    return sum((np.dot(u[:, a], u[:, b]) / n - (a == b)) ** 2 for a in range(k) for b in range(k)) / 2


def pairwise_labels(u, labels):
    errors = [np.dot(a, b) / u.shape[1] - (1 if alike else -1) for alike, a, b in pairs_of(u, labels)]
    return sum(error ** 2 for error in errors) / (2 * len(u))


def quantization(u, labels):
    return sum((abs(element) - 1) ** 2 for element in u.ravel()) / (2 * len(u))


def variance(u, labels):
    return -sum(column.var() for column in u.T) / 2


def orthogonality(w, labels):
    return np.linalg.norm(w @ w.T - np.eye(len(w))) ** 2 / 2


def scatter(u, labels):
    pairs = [(i, j) for i in range(len(u)) for j in range(i)]
    means = [[np.sum((u[i] - u[j]) ** 2) for i, j in pairs if (int(labels[i]) == int(labels[j])) == alike]
             for alike in (True, False)]
    within, between = (np.mean(part) if part else 0 for part in means)
    return (within - between) / 2


TERMS = {"BalanceLoss": balance, "IndependenceLoss": independence, "PairwiseLabelLoss": pairwise_labels,
         "SignQuantizationLoss": quantization, "BitVarianceLoss": variance, "OrthogonalityLoss": orthogonality,
         "ScatterLoss": scatter}
LABELED = ("PairwiseLabelLoss", "ScatterLoss")


@pytest.mark.parametrize("kind", TERMS)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_term_written_out(kind, shape):
    codes, labels = RNG.normal(size=shape), RNG.integers(0, 4, shape[0])
    alone = build(kind, [codes, labels] if kind in LABELED else [codes], "loss_weight: 3")
    assert alone.forward()[0] == pytest.approx(TERMS[kind](codes, labels), rel=1e-12)
    assert alone.layer.loss(alone.top) == pytest.approx(3 * TERMS[kind](codes, labels), rel=1e-12)


@pytest.mark.parametrize(("kind", "codes", "labels"), [
    ("BalanceLoss", [[1, -1], [-1, 1]], None),
    ("IndependenceLoss", [[1, 1], [1, -1], [-1, 1], [-1, -1]], None),
    ("PairwiseLabelLoss", [[1, 1], [-1, -1], [1, 1]], [4, 9, 4]),
    ("SignQuantizationLoss", [[1, -1], [-1, -1]], None),
    ("OrthogonalityLoss", [[0.6, 0.8, 0], [0, 0, 1]], None),
])
def test_what_the_term_asks_for_costs_nothing(kind, codes, labels):
    alone = build(kind, [np.array(codes, float)] + ([labels] if labels else []))
    assert alone.forward()[0] == pytest.approx(0, abs=1e-15)
    (slope, *_) = alone.backward([np.array(1.0)], [True, False][:len(alone.bottom)])
    np.testing.assert_allclose(slope, 0, atol=1e-15)


@pytest.mark.parametrize("kind", LABELED)
def test_large_batches_need_no_matrix_of_pairs(kind):
    """100,000 rows: a matrix of their pairs would not fit into the memory."""
    labels = np.arange(100000) % 10
    codes = np.where(labels[:, None] >> np.arange(4) & 1, 1.0, -1.0)
    alone, small = (build(kind, [codes[:n], labels[:n]]) for n in (100000, 10))
    (much,), (little,) = alone.forward(), small.forward()
    if kind == "PairwiseLabelLoss":  # grows with N: the same pairs 10,000 times as often for every row
        assert much == pytest.approx(10000 * little)
    else:  # like pairs are equal codes: only the share of unlike pairs counts, which is the same
        assert much == pytest.approx(little)


@pytest.mark.parametrize("element", [0.0, -0.0])
def test_zero_counts_as_plus_one(element):
    alone = build("SignQuantizationLoss", [np.full((1, 2), element)])
    assert alone.forward()[0] == 1
    np.testing.assert_array_equal(alone.backward([np.array(1.0)], [True])[0], [[-1, -1]])


def test_codes_that_are_all_the_same_do_not_vary():
    alone = build("BitVarianceLoss", [np.ones((7, 3))])
    assert alone.forward()[0] == 0


def test_all_classes_of_their_own():
    codes = RNG.normal(size=(5, 3))
    alone = build("ScatterLoss", [codes, np.arange(5)])
    assert alone.forward()[0] == pytest.approx(scatter(codes, np.arange(5)))  # no like pairs


WEIGHT_TERM = """
name: "w"
layer { name: "x" type: "Input" top: "x" input_param { shape { dim: 6 dim: 5 } } }
layer { name: "ip" type: "InnerProduct" bottom: "x" top: "u" param { name: "w" }
  inner_product_param { num_output: 3 weight_filler { type: "gaussian" std: 1 } } }
layer { name: "variance" type: "BitVarianceLoss" bottom: "u" top: "variance" loss_weight: 0.01 }
layer { name: "weight" type: "Parameter" top: "weight" param { name: "w" }
  parameter_param { shape { dim: 3 dim: 5 } } }
layer { name: "orthogonality" type: "OrthogonalityLoss" bottom: "weight" top: "orthogonality" loss_weight: 0.5 }
"""


def test_weight_term_in_a_net():
    """The diff of the weight holds both terms: the one through the codes and the one of the weight itself."""
    net = Net(parse(WEIGHT_TERM, "NetParameter"), TRAIN, dtype="float64", random_seed=1)
    x = RNG.normal(size=(6, 5))
    net.forward(x=x)
    net.clear_param_diffs()
    net.backward()
    weight, bias = net.params["ip"]
    assert net.loss == pytest.approx(0.01 * variance(x @ weight.data.T + bias.data, None)
                                     + 0.5 * orthogonality(weight.data, None))
    got, start, numeric = weight.diff.copy(), weight.data.copy(), np.empty((3, 5))
    for place in np.ndindex(3, 5):
        losses = []
        for sign in (1, -1):
            weight.data[...] = start
            weight.data[place] += sign * 1e-6
            net.forward()
            losses.append(net.loss)
        numeric[place] = (losses[0] - losses[1]) / 2e-6
    np.testing.assert_allclose(got, numeric, rtol=1e-5, atol=1e-8)


X, Y = np.ones((4, 3)), np.ones((4, 3, 2))
REFUSED = [
    ("PairwiseLabelLoss", [X, np.ones((4, 2))], "labels 'x1' expected one class a row, (4,) got (4, 2)"),
    ("ScatterLoss", [X, np.ones(3)], "labels 'x1' expected one class a row, (4,) got (3,)"),
    ("ScatterLoss", [Y, np.ones((2, 2))], "expected one class a row, (4,) got (2, 2)"),
    ("BalanceLoss", [np.array(1.0)], "expected codes (N, ...) got ()"),
    ("PairwiseLabelLoss", [np.array(1.0), np.array(1.0)], "expected codes (N, ...) got ()"),
]


@pytest.mark.parametrize(("kind", "values", "parts"), REFUSED)
def test_refused_shapes(kind, values, parts):
    with pytest.raises(ShapeError) as caught:
        build(kind, values)
    message = str(caught.value)
    assert message.startswith(f"layer 'it' ({kind}): ")
    position = 0
    for part in parts.split():
        position = message.index(part, position) + len(part)
