"""The layers of CSQ and GreedyHash, and their losses written out element by element from the papers' equations."""

import math
from collections import Counter

import numpy as np
import pytest
from layer_rows import build

from blobnet.core.context import TRAIN
from blobnet.core.net import Net
from blobnet.errors import DataError, NetError, ShapeError
from blobnet.layers.hashing._centers import distances, hadamard, hash_centers
from blobnet.proto.text import parse

RNG = np.random.default_rng(11)


def centers(labels, classes, bits, seed=0):
    return build("HashCenter", [labels], f"hash_center_param {{ num_classes: {classes} bits: {bits} seed: {seed} }}"
                 ).forward()[0]


# Hash centres.

@pytest.mark.parametrize("order", [1, 2, 4, 32, 64])
def test_hadamard(order):
    matrix = hadamard(order)
    np.testing.assert_array_equal(matrix @ matrix.T, order * np.eye(order))
    by_parity = [[-1 if bin(i & j).count("1") % 2 else 1 for j in range(order)] for i in range(order)]
    np.testing.assert_array_equal(matrix, by_parity)


@pytest.mark.parametrize(("classes", "bits", "counts"), [
    (10, 32, {16: 45}), (4, 4, {2: 6}), (8, 4, {2: 24, 4: 4}), (1, 8, {}), (2, 1, {1: 1})])
def test_distances_of_hadamard_centers(classes, bits, counts):
    assert Counter(distances(hash_centers(classes, bits, 0)).tolist()) == counts


@pytest.mark.parametrize(("classes", "bits"), [(10, 12), (100, 48), (9, 4), (16, 4), (3, 24)])
def test_drawn_centers_lie_apart(classes, bits):
    drawn = hash_centers(classes, bits, 5)
    assert set(drawn.ravel()) == {-1, 1}
    assert distances(drawn).min() >= 1
    assert distances(drawn).mean() >= 0.45 * bits
    np.testing.assert_array_equal(drawn, hash_centers(classes, bits, 5))
    assert not np.array_equal(drawn, hash_centers(classes, bits, 6))
    if (classes, bits) == (100, 48):
        assert distances(drawn).min() >= 9  # a single draw has 7 to 10
        assert distances(drawn).mean() >= 24


def test_the_center_of_a_class():
    np.testing.assert_array_equal(centers([2, 0, 5, 5], 6, 4), [[1, 1, 0, 0], [1, 1, 1, 1], [0, 1, 0, 1], [0, 1, 0, 1]])


def test_most_of_the_centers_decide():
    """As the paper's section on several labels says, counted bit by bit; ties are the same bits in every row."""
    columns = RNG.integers(0, 2, (40, 6))
    columns[0] = 0
    found, own = centers(columns, 6, 16, seed=1), centers(np.arange(6), 6, 16, seed=1)
    tied = {}
    for row, code in zip(columns, found):
        for k in range(16):
            ones = sum(own[c][k] for c in range(6) if row[c])
            zeros = sum(row) - ones
            if ones != zeros:
                assert code[k] == (ones > zeros)
            else:
                assert tied.setdefault(k, code[k]) == code[k]
    assert len(tied) == 16 and set(tied.values()) == {0, 1}
    assert not np.array_equal(centers(columns, 6, 16, seed=2)[0], found[0])
    np.testing.assert_array_equal(centers(np.eye(6), 6, 16), centers(np.arange(6), 6, 16))


@pytest.mark.parametrize(("labels", "options", "error", "words"), [
    ([0, 1], "", NetError, "expected num_classes and bits above 0, got 0 and 0"),
    ([0, 1], "num_classes: 2", NetError, "got 2 and 0"),
    ([0, 1], "num_classes: 9 bits: 2", NetError, "expected at most 4 classes for 2 bits, got 9"),
    (np.ones((4, 2)), "num_classes: 3 bits: 8", ShapeError, r"one class a row, \(N,\), or a column for each class, "
     r"\(N, 3\), got \(4, 2\)"),
    (1.0, "num_classes: 3 bits: 8", ShapeError, r"labels 'x0', expected one class a row"),
])
def test_what_centers_refuse(labels, options, error, words):
    with pytest.raises(error, match=words):
        build("HashCenter", [np.array(labels, float)], f"hash_center_param {{ {options} }}")


@pytest.mark.parametrize(("labels", "words"), [
    ([0, 3], "labels in 0 ... 2, got 3; num_classes must cover"), ([0, 0.5], "a whole number"),
    (np.array([[0, 1, 2]]), "labels in 0 ... 1, got 2")])
def test_labels_that_have_no_center(labels, words):
    with pytest.raises(DataError, match=words):
        centers(labels, 3, 4)


def test_the_objective_of_csq():
    """-1/K sum [c log h + (1 - c) log(1 - h)] + lambda sum log cosh(|2 h - 1| - 1), means over elements."""
    net = Net(parse("""
        layer { name: "in" type: "Input" top: "x" top: "y" input_param { shape { dim: 6 dim: 8 } shape { dim: 6 } } }
        layer { name: "h" type: "Sigmoid" bottom: "x" top: "h" }
        layer { name: "code" type: "Power" bottom: "h" top: "code" power_param { scale: 2 shift: -1 } }
        layer { name: "center" type: "HashCenter" bottom: "y" top: "center"
          hash_center_param { num_classes: 5 bits: 8 } }
        layer { name: "central" type: "SigmoidCrossEntropyLoss" bottom: "x" bottom: "center" top: "central"
          loss_param { normalization: FULL } }
        layer { name: "quantization" type: "QuantizationLoss" bottom: "code" top: "quantization" loss_weight: 0.25 }
        """, "NetParameter"), TRAIN, dtype="float64")
    x, y = 3 * RNG.normal(size=(6, 8)), RNG.integers(0, 5, 6)
    net.forward(x=x, y=y)
    want = 0.0
    for scores, label in zip(x, y):
        for score, wish in zip(scores, hadamard(8)[label]):
            h, c = 1 / (1 + math.exp(-score)), (1 + wish) / 2
            want -= (c * math.log(h) + (1 - c) * math.log(1 - h)) / 48
            want += 0.25 * math.log(math.cosh(abs(2 * h - 1) - 1)) / 48
    assert net.loss == pytest.approx(want, rel=1e-12)


# GreedyHash.

def test_signs_and_their_gradient():
    alone = build("StraightThroughSign", [[0.0, -0.0, -1e-30, 2.5, -7]])
    np.testing.assert_array_equal(alone.forward()[0], [1, 1, -1, 1, -1])
    dy = np.array([1.0, -2, 3, 0.5, 4])
    np.testing.assert_array_equal(alone.backward([dy], [True])[0], dy)
    exact = build("StraightThroughSign", [[0.5, -3]], "published_gradient_param { gradient: EXACT }")
    exact.forward()
    np.testing.assert_array_equal(exact.backward([np.array([1.0, 2])], [True])[0], [0, 0])


def test_the_gradient_goes_through_in_place():
    net = Net(parse("""force_backward: true
        layer { name: "in" type: "Input" top: "x" input_param { shape { dim: 2 dim: 2 } } }
        layer { name: "h" type: "Power" bottom: "x" top: "h" power_param { scale: 3 } }
        layer { name: "sign" type: "StraightThroughSign" bottom: "h" top: "h" }
        layer { name: "loss" type: "EuclideanLoss" bottom: "h" bottom: "x" top: "loss" }""", "NetParameter"), TRAIN)
    net.forward(x=np.array([[0.5, -2], [4, -0.25]]))
    net.backward()
    np.testing.assert_allclose(net.blobs["h"].diff, [[0.25, 0.5], [-1.5, -0.375]])


@pytest.mark.parametrize("power", [1.5, 2, 3])
def test_a_power_of_the_distance(power):
    u = RNG.normal(size=(5, 4)) * 2
    u[0, :3] = 0, 1, -1
    alone = build("QuantizationLoss", [u], f"loss_weight: 2 quantization_param {{ power: {power} }}")
    assert alone.forward()[0] == pytest.approx(sum(abs(abs(x) - 1) ** power for x in u.ravel()) / 20, rel=1e-12)
    slopes = alone.backward([np.array(2.0)], [True])[0]
    assert slopes[0, 1] == slopes[0, 2] == 0
    for x, slope in zip(u.ravel()[3:], slopes.ravel()[3:]):
        g = abs(x) - 1
        assert slope == pytest.approx(2 / 20 * power * abs(g) ** (power - 1) * (1 if g * x > 0 else -1), rel=1e-12)


@pytest.mark.parametrize(("options", "words"), [
    ("power: 1", "expected power above 1, or 0 for log cosh, got 1"), ("power: -2", "got -2"),
    ("power: 3 threshold: 0.75", "power and threshold exclude each other; keep one")])
def test_powers_that_are_refused(options, words):
    with pytest.raises(NetError, match=words):
        build("QuantizationLoss", [np.ones((2, 2))], f"quantization_param {{ {options} }}")
