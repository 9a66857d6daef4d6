"""PairwiseLoss and QuantizationLoss as the programs of DHN, HashNet and TAH compute them: their sums, term by term."""

import math

import numpy as np
import pytest
from layer_rows import build

from blobnet.core.context import TRAIN
from blobnet.core.net import Net
from blobnet.errors import NetError
from blobnet.layers.hashing.pairwise_distance_loss import PairwiseDistanceLoss
from blobnet.layers.hashing.pairwise_loss import PairwiseLoss
from blobnet.layers.hashing.pairwise_mean_loss import PairwiseMeanLoss
from blobnet.proto.text import parse

N, K, L = 7, 5, 4


def draw(seed):
    """Codes of two batches, their labels (some unknown), and numbers for the options."""
    rng = np.random.default_rng(seed)
    labels = (rng.random((2, N, L)) < 0.4).astype(float)
    labels[:, 0], labels[0, 1], labels[0, 2] = 1, -1, 0  # all labels in common; fewer than none; none
    return rng.normal(size=(N, K)) * 1.5, rng.normal(size=(N, K)) * 1.5, *labels, rng


def log_cosh(x, threshold):
    gap = abs(x) - 1
    return abs(gap - math.log(2)) if 0 < threshold < gap else math.log(math.cosh(gap))


def published(u, a, v, b, o):
    """Loss, and for every pair the number by which its codes are multiplied in the gradients, before l_lambda."""
    total = count = 0
    factors = np.zeros((N, N))
    for i in range(N):
        for j in range(N):
            common = a[i] @ b[j]
            if not 0 <= common < L:
                continue
            t, s = o["sigmoid_param"] * (u[i] @ v[j]), float(common > 0)
            times = o["class_num"] if s else 1
            linear = 0 <= o["l_threshold"] <= t
            total += times * (t * (1 - s) if linear else math.log(1 + math.exp(t)) - s * t)
            count += times
            factors[i, j] = 2 * times * (1 / (1 + math.exp(-t)) - s)
            if o["continous_similarity"]:
                share = common ** 2 / ((a[i] @ a[i] or 1) * (b[j] @ b[j] or 1))
                factors[i, j] *= 4 * (share or 0.25)
    return total / (count or 1) * (o["l_lambda"] > 0), factors / (count or 1)


def text(options):
    return " ".join(f"{name}: {str(value).lower()}" for name, value in options.items())


def gradients(alone, *wanted):
    return alone.backward([np.array(0.3)], list(wanted))  # the loss weight is 0.3


def options_of(rng, **fixed):
    drawn = {"l_threshold": float(rng.choice([-1, 0, 0.5, 15])), "l_lambda": float(rng.choice([0, 0.5, 2])),
             "class_num": float(rng.choice([1, 5])), "sigmoid_param": float(rng.choice([1, 0.25])),
             "continous_similarity": bool(rng.integers(2))}
    return drawn | fixed


@pytest.mark.parametrize("seed", range(20))
def test_hashnet(seed):
    u, v, a, b, rng = draw(seed)
    options = options_of(rng)
    alone = build("PairwiseLoss", [u, a, v, b], "loss_weight: 0.3 "
                  f"pairwise_param {{ q_threshold: 15 {text(options)} }}")
    loss, factors = published(u, a, v, b, options)
    assert alone.forward()[0] == pytest.approx(loss, rel=1e-6)
    du, _, dv, _ = gradients(alone, True, False, True, False)
    for got, want in ((du, factors @ v), (dv, factors.T @ u)):
        want = (want * options["l_lambda"]).reshape(-1)
        want[:N] *= options["sigmoid_param"]
        np.testing.assert_allclose(got.reshape(-1), want, rtol=1e-6, atol=1e-12)


@pytest.mark.parametrize("seed", range(20))
def test_dhn(seed):
    u, _, a, _, rng = draw(seed)
    options = options_of(rng, class_num=1.0, sigmoid_param=1.0, continous_similarity=False)
    q_threshold, q_gamma = float(rng.choice([-1, 0.1, 0.8])), float(rng.choice([0, 0.25]))
    given = {name: options[name] for name in ("l_threshold", "l_lambda")}
    alone = build("PairwiseLoss", [u, a], "loss_weight: 0.3 pairwise_param { engine: CAFFE axis: 1 "
                  f"{text(given)} q_threshold: {q_threshold} q_gamma: {q_gamma} }}")
    loss, factors = published(u, a, u, a, options)
    loss += (q_gamma > 0) * sum(log_cosh(x, q_threshold) for x in u.flat) / (N * K)
    assert alone.forward()[0] == pytest.approx(loss, rel=1e-6)
    pull = np.array([math.tanh(abs(x) - 1) * math.copysign(1, x) for x in u.flat]).reshape(N, K)
    np.testing.assert_allclose(gradients(alone, True, False)[0], options["l_lambda"] * factors @ u + q_gamma / N * pull,
                               rtol=1e-6, atol=1e-12)


@pytest.mark.parametrize("threshold", [-1, 0, 0.3, 1.2, 15])
def test_tah(threshold):
    u, _, a, _, _ = draw(3)
    alone = build("PairwiseLoss", [u, a], f"loss_weight: 0.3 pairwise_param {{ threshold: {threshold} }}")
    total, want = 0, np.zeros((N, K))
    for i in range(N):
        for j in range(N):
            square = sum((u[i] - u[j]) ** 2)
            t, s = 2 / (1 + square), float(a[i] @ a[j] > 0)  # 2 = 5 // 2
            total += t * (1 - s) if 0 <= threshold <= t else math.log(1 + math.exp(t)) - s * t
            slope = (1 - s if t > threshold else 1 / (1 + math.exp(-t)) - s) / N ** 2
            for k in (i, j):  # a pair moves both of its codes
                other = i + j - k
                want[k] += slope * -2 / (1 + square) ** 2 * 2 * (u[k] - u[other])
    assert alone.forward()[0] == pytest.approx(total / N ** 2, rel=1e-6)
    np.testing.assert_allclose(gradients(alone, True, False)[0], want, rtol=1e-6, atol=1e-12)


@pytest.mark.parametrize("threshold", [-1, 0, 0.1, 1, 15])
def test_quantization(threshold):
    u = draw(4)[0]
    u[0, 0] = 0
    alone = build("QuantizationLoss", [u], f"loss_weight: 0.3 quantization_param {{ threshold: {threshold} }}")
    assert alone.forward()[0] == pytest.approx(sum(log_cosh(x, threshold) for x in u.flat) / (N * K), rel=1e-6)
    gaps = np.abs(u) - 1
    want = np.where((gaps > threshold) & (threshold > 0), 1, np.tanh(gaps)) * np.where(u < 0, -1, 1)
    np.testing.assert_allclose(gradients(alone, True)[0], 0.3 * want / (N * K), rtol=1e-6)


@pytest.mark.parametrize("fields, bottoms, kind", [
    ("", 2, PairwiseLoss), ("l_threshold: 15", 4, PairwiseLoss), ("threshold: 15", 2, PairwiseDistanceLoss),
    ("weighted: true", 2, PairwiseMeanLoss), ("weighted: false gradient: EXACT", 2, PairwiseMeanLoss)])
def test_the_fields_choose_the_layer_and_its_name_stays(fields, bottoms, kind):
    layer = build("PairwiseLoss", [np.ones((3, 4))] * bottoms, f"pairwise_param {{ {fields} }}").layer
    assert type(layer) is kind and layer.type == layer.param.type == "PairwiseLoss"
    assert "(PairwiseLoss)" in layer.where


@pytest.mark.parametrize("fields, kind, words", [
    ("weighted: true threshold: 1", "PairwiseLoss", "pairwise_param.threshold has no meaning beside weighted"),
    ("threshold: 1 l_lambda: 2", "PairwiseLoss", "pairwise_param.l_lambda has no meaning beside threshold"),
    ("l_lambda: 2", "PairwiseMeanLoss", "pairwise_param.l_lambda has no meaning beside weighted")])
def test_fields_of_another_of_them(fields, kind, words):
    with pytest.raises(NetError, match=words):
        build(kind, [np.ones((3, 4))] * 2, f"pairwise_param {{ {fields} }}")


def test_no_pair_is_known():
    u = draw(5)[0]
    alone = build("PairwiseLoss", [u, np.ones((N, L))], "pairwise_param { q_gamma: 0 }")
    assert alone.forward()[0] == 0
    assert not gradients(alone, True, False)[0].any()


BATCH = """layer { name: "data%s" type: "DummyData" top: "x%s" top: "label%s" dummy_data_param {
             shape { dim: 4 dim: 6 } shape { dim: 4 dim: 3 } data_filler { type: "gaussian" }
             data_filler { type: "uniform" } } }"""
CODES = """layer { name: "fc" type: "InnerProduct" bottom: "%s" top: "h" inner_product_param {
             num_output: 8 weight_filler { type: "gaussian" std: 0.3 } } }
           layer { name: "tanh" type: "%s" bottom: "h" top: "h" }"""
DHN = """layer { name: "pairs" type: "PairwiseLoss" bottom: "h" bottom: "label" top: "loss"
           pairwise_param { l_threshold: 15 q_threshold: 15 l_lambda: 1 q_gamma: 0.3 } }"""
HASHNET = """layer { name: "halves" type: "Slice" bottom: "h" top: "h1" top: "h2" slice_param { axis: 0 } }
    layer { name: "pairs" type: "PairwiseLoss" bottom: "h1" bottom: "label1" bottom: "h2" bottom: "label2" top: "loss"
      pairwise_param { l_threshold: 15 q_threshold: 15 l_lambda: 1.0 class_num: 5.0 sigmoid_param: 0.2
                       continous_similarity: true } }"""
TAH = """layer { name: "pairs" type: "PairwiseLoss" bottom: "h" bottom: "label" top: "loss"
           loss_weight: 1.0 pairwise_param { threshold :15.0 } }
         layer { name: "bits" type: "QuantizationLoss" bottom: "h" top: "pull" loss_weight: 0.3
           quantization_param { threshold: 15 } }"""
BOTH = 'layer { name: "both" type: "Concat" bottom: "x1" bottom: "x2" top: "x" concat_param { concat_dim: 0 } }'
NETS = {"DHN": BATCH % ("", "", "") + CODES % ("x", "TanH") + DHN,
        "HashNet": BATCH % (1, 1, 1) + BATCH % (2, 2, 2) + BOTH + CODES % ("x", "ScaleTanH") + HASHNET,
        "TAH": BATCH % ("", "", "") + CODES % ("x", "TanH") + TAH}


@pytest.mark.parametrize("net", NETS.values(), ids=NETS)
def test_their_layers_train(net):
    built = Net(parse(net, "NetParameter"), TRAIN, random_seed=1)
    built.forward()
    built.backward()
    assert np.isfinite(built.params["fc"][0].diff).all() and built.params["fc"][0].diff.any()
