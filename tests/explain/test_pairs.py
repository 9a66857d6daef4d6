"""Pairs of a batch: distances and forces against plain loops and against differences of the loss."""

import numpy as np
import pytest

from blobnet.check.standalone import standalone
from blobnet.core.context import TRAIN
from blobnet.core.net import Net
from blobnet.explain.pairs import see_pairs
from blobnet.proto.text import parse

CODES = np.random.default_rng(4).normal(size=(6, 5))
CLASSES = np.array([0, 1, 1, 2, 0, 1])
SETS = np.array([[1, 0, 0], [0, 1, 0], [1, 1, 0], [0, 0, 1], [1, 0, 0], [0, 0, 0]])
STEP = 1e-6


def net_of(kind, options, labels, more=""):
    shapes = "".join(f'''layer {{ name: "{name}" type: "Input" top: "{name}" input_param {{ shape {{ {dims} }} }} }}'''
                     for name, dims in (("u", "dim: 6 dim: 5"), ("y", " ".join(f"dim: {n}" for n in labels.shape))))
    text = f'''force_backward: true {shapes}
        layer {{ name: "twice" type: "Power" bottom: "u" top: "v" power_param {{ scale: 1 }} }}
        layer {{ name: "pairs" type: "{kind}" bottom: "v" bottom: "y" top: "loss" {options} {more} }}'''
    net = Net(parse(text, "NetParameter"), TRAIN, dtype="float64")
    net.forward(u=CODES, y=labels)
    return net


def derivative(net, labels):
    """Of the loss by the codes, by central differences."""
    slopes = np.zeros(CODES.shape)
    for place in np.ndindex(CODES.shape):
        for sign in (1, -1):
            codes = CODES.copy()
            codes[place] += sign * STEP
            net.forward(u=codes, y=labels)
            slopes[place] += sign * net.loss / (2 * STEP)
    return slopes


@pytest.mark.filterwarnings("ignore:.*bi_margin")
@pytest.mark.parametrize("kind, options, labels, by_length", [
    ("HashingLoss", "hashing_loss_param { bi_margin: 10 tradeoff: 0 }", CLASSES, True),
    ("HashingLoss", "hashing_loss_param { bi_margin: 6 tradeoff: 0 }", SETS, True),
    ("PairwiseLoss", "pairwise_param { threshold: -1 }", SETS, True),
    ("PairwiseLoss", "pairwise_param { threshold: 0.3 }", SETS, True),
    ("PairwiseLoss", "pairwise_param { weighted: false class_num: 2 sigmoid_param: 0.7 }", CLASSES, False),
    ("PairwiseLoss", "pairwise_param { weighted: true sigmoid_param: 0.7 }", SETS, False),
    ("PairwiseLoss", "pairwise_param { q_gamma: 0 class_num: 3 l_lambda: 2 }", SETS, False),
    ("PairwiseLoss", "pairwise_param { q_gamma: 0 sigmoid_param: 0.5 l_threshold: 0.3 }", SETS, False)])
def test_the_forces_make_the_derivative_of_the_loss(kind, options, labels, by_length):
    net = net_of(kind, options, labels)
    force = see_pairs(net)[0].force
    made = sum(2 * force[:, [j]] * (CODES - CODES[j]) for j in range(len(CODES)))
    wanted = derivative(net, labels)
    if not by_length:  # the loss knows of the lengths of the codes too: only what turns them is compared
        units = CODES / np.linalg.norm(CODES, axis=1, keepdims=True)
        made, wanted = (x - (x * units).sum(axis=1, keepdims=True) * units for x in (made, wanted))
    assert np.allclose(made, wanted, rtol=1e-6, atol=1e-9) and abs(wanted).max() > 1e-3


@pytest.mark.filterwarnings("ignore:.*bi_margin")
@pytest.mark.parametrize("labels", [CLASSES, SETS])
def test_pairs_of_deep_supervised_hashing_by_loops(labels):
    seen = see_pairs(net_of("HashingLoss", "hashing_loss_param { bi_margin: 9 }", labels, "loss_weight: 3"))
    assert len(seen) == 1
    seen = seen[0]
    assert (seen.layer, seen.name, seen.margin) == (3, "pairs", 9)
    kinds = set()
    for i, j in np.ndindex(6, 6):
        distance = sum((CODES[i, k] - CODES[j, k]) ** 2 for k in range(5))
        alike = labels[i] == labels[j] if labels.ndim == 1 else any(labels[i] & labels[j])
        kind = "self" if i == j else "alike" if alike else "near" if distance < 9 else "far"
        kinds.add(kind)
        assert seen.distances[i, j] == pytest.approx(distance, abs=1e-12)
        assert seen.similar[i, j] == alike
        assert seen.force[i, j] == pytest.approx({"self": 0, "alike": 1, "near": -1, "far": 0}[kind] / 30)
    assert kinds == {"self", "alike", "near", "far"}


def test_codes_and_labels():
    seen = see_pairs(net_of("PairwiseLoss", "pairwise_param { q_gamma: 0 }", SETS))[0]
    assert np.array_equal(seen.codes, CODES) and seen.margin is None
    assert seen.labels.tolist() == [0, 1, 0, 2, 0, -1]
    assert see_pairs(net_of("PairwiseLoss", "pairwise_param { weighted: true }", CLASSES))[0].labels.tolist() == \
        CLASSES.tolist()


def test_what_is_seen_stays_when_the_net_runs_on():
    net = net_of("PairwiseLoss", "pairwise_param { weighted: true }", SETS)
    seen = see_pairs(net)[0]
    before = [array.copy() for array in (seen.codes, seen.distances, seen.similar, seen.force)]
    net.forward(u=CODES + 1, y=SETS[::-1])
    assert all(map(np.array_equal, before, (seen.codes, seen.distances, seen.similar, seen.force)))


def test_nets_without_pairs_of_a_batch():
    net = Net(parse('layer { name: "in" type: "Input" top: "x" input_param { shape { dim: 2 } } }', "NetParameter"))
    net.forward()
    assert see_pairs(net) == []


def test_pairs_of_two_batches_are_left_out():
    alone = standalone('layer { name: "it" type: "PairwiseLoss" bottom: "u" bottom: "a" bottom: "v" bottom: "b" '
                       'top: "y" }', CODES, SETS, CODES[::-1], SETS[::-1])
    alone.forward()
    assert alone.layer.code_pairs(alone.bottom) is None
