"""The losses of metric learning and of hashing forks: their loops written out, and how they stand to each other."""

import itertools
import math

import numpy as np
import pytest
from layer_rows import build

from blobnet.core.context import TRAIN
from blobnet.core.net import Net
from blobnet.errors import DataError, NetError, ShapeError
from blobnet.proto.text import parse

RNG = np.random.default_rng(21)
LABELS = np.array([0, 2, 1, 2, 0, 2])
TWO_HOT = np.array([[1, 0, 1], [0, 1, 0], [1, 1, 0], [0, 0, 1], [1, 1, 1], [0, 0, 0]])
RUNS = np.array([0, 0, 0, 1, 1, 2, 2, 0])
ONE = np.array(1.0)
X, Y = np.ones((4, 3)), np.ones((4, 2))

REFUSED = [  # type, bottoms, options, tops, error, parts of the message
    ("ScaleTanH", [X], "scale_tanh_param { step_size: 0 }", "y", NetError, "step_size of at least 1 got 0"),
    ("RankAccuracy", [X, Y], "", "y", ShapeError, "as many similarities in both bottoms got (4, 3) and (4, 2)"),
    ("L2Norm", [1.0], "", "y", ShapeError, "at least 1 axis got ()"),
    ("K1_EuclideanLoss", [X, Y], "", "y", ShapeError, "shape of the first got (4, 3) and (4, 2) name the first once"),
    ("EvenDistLoss", [X, X.T], "", "y", ShapeError, "shape of the first got (4, 3) and (3, 4)"),
    ("TransformLoss", [X, Y, [1] * 4, [1] * 4], "", "y", ShapeError, "as many elements a row"),
    ("TransformLoss", [X, X, [1] * 4, [1] * 3], "", "y", ShapeError, "one number a row, (4,) got (4,) and (3,)"),
    ("PairwiseLoss", [X, [1, 2]], "", "y", ShapeError, "(4,) rows in both got (4, 3) and (2,)"),
    ("PairwiseLoss", [X[:0], []], "", "y", ShapeError, "a batch of at least 1 got (0, 3)"),
    ("PairwiseLoss", [X, [1, 2, 2, 1]], "", "y", ShapeError, "'x1' one 0/1 column a label got (4,) for one class a row "
     "set pairwise_param.weighted"),
    ("PairwiseLoss", [X, X, X], "", "y", NetError, "2 bottom blobs or 4 got 3"),
    ("PairwiseLoss", [X, X, X, X], "pairwise_param { threshold: 15 }", "y", NetError, "2 bottom blobs got 4"),
    ("PairwiseLoss", [X, X, X, Y], "", "y", ShapeError, "first two bottoms got (4, 3) and (4, 2) after"),
    ("PairwiseLoss", [X, X], "pairwise_param { axis: 0 }", "y", NetError, "expected axis 1 got 0"),
    ("PairwiseLoss", [X, X], "pairwise_param { weighted: true l_threshold: 1 }", "y", NetError,
     "pairwise_param.l_threshold has no meaning beside weighted"),
    ("LiftedStructSimilaritySoftmaxLoss", [X[:0], []], "", "y", ShapeError, "a batch of at least 1 got (0, 3)"),
    ("TripletLoss", [X, X, Y], "", "y", ShapeError, "three bottoms of one shape got (4, 3), (4, 3) and (4, 2)"),
    ("TripletLoss", [np.ones((4, 1, 2))] * 3, "", "y", ShapeError, "further axes of size 1 put a Flatten"),
    ("TripletLoss", [X, X, X, Y], "", "y", ShapeError, "weights 'x3' one number a sample, (4,) got (4, 2)"),
    ("TripletRankingHingeLoss", [X, X, X], "", "y", NetError, "expected dim 3 got 10"),
    ("TripletRankingHingeLoss", [X, X, Y], "triplet_ranking_hinge_loss_param { dim: 3 }", "y", ShapeError, "(4, 2)"),
    ("NaiveTripletLoss", [X], "", "y a", ShapeError, "rows in thirds: queries, positives, negatives got (4, 3)"),
    ("NaiveTripletLoss", [X[:3]], "", "y", NetError, "expected 2 top blobs got 1"),
    ("NaiveTripletLoss", [X[:3]], 'triplet_loss_param { sim_type: "EuclidianSimilarity" }', "y a", NetError,
     "unknown layer type 'EuclidianSimilarity' did you mean 'EuclideanSimilarity'"),
    ("NaiveTripletLoss", [X[:3]], 'triplet_loss_param { sim_type: "Eltwise" }', "y a", ShapeError,
     "similarity 'Eltwise' one number for each of 1 rows got (1, 3)"),
    ("BatchTripletLoss", [X, [1, 2]], "", "y a", ShapeError, "one label a row got (4, 3) and (2,)"),
    ("CenterLoss", [X, [0, 1, 1, 0]], "", "y", NetError, "num_output got 0"),
    ("CenterLoss", [X, [0, 1]], "center_loss_param { num_output: 2 }", "y", ShapeError, "one label a row, 4 got (2,)"),
    ("CenterLoss", [np.ones((4, 2, 3)), [0, 1, 1, 0]], "center_loss_param { num_output: 2 axis: 2 }", "y", ShapeError,
     "one feature a sample from axis 2 on got (4, 2, 3)"),
    ("CenterLoss", [X, [0, 1, 1, 0]], 'center_loss_param { num_output: 2 distance_type: "L1" }', "y", NetError,
     "distance_type 'L2' got 'L1'"),
]


@pytest.mark.parametrize(("kind", "values", "options", "tops", "error", "parts"), REFUSED)
def test_refused(kind, values, options, tops, error, parts):
    with pytest.raises(error) as caught:
        build(kind, values, options, tops).forward()
    message = str(caught.value)
    assert message.startswith(f"layer 'it' ({kind}): ")
    position = 0
    for part in parts.split():  # the words in this order, others may stand between
        position = message.index(part, position) + len(part)


def slope(alone, weight=1.0):
    """The gradient of the first bottom, after a forward."""
    tops = [np.array(weight), *(np.zeros(top.shape) for top in alone.top[1:])]
    return alone.backward(tops, [True] + [False] * (len(alone.bottom) - 1))[0]


@pytest.mark.parametrize(("options", "scales"), [
    ("", [1, 1, 1, 1]),
    ("init_scale: 3 step_size: 2", [3, 3, 3, 3]),  # a power of 0
    ("step_size: 1 gamma: 1 power: 1", [3, 4, 5, 6]),
    ("step_size: 3 gamma: 0.5 power: 2", [1, 6.25, 6.25, 6.25]),
    ("init_scale: 2 step_size: 3 gamma: 5 power: 0.5", [2, 8, 8, 8]),
    ("init_scale: 2 step_size: 4 gamma: 2 power: 0.5", [2, 2, 6, 6])])
def test_scale_grows_with_the_forwards_of_a_net(options, scales):
    definition = f"""input: "x" input_shape {{ dim: 1 }}
                     layer {{ name: "it" type: "ScaleTanH" bottom: "x" top: "y" scale_tanh_param {{ {options} }} }}"""
    net = Net(parse(definition, "NetParameter"), TRAIN)
    for scale in scales:
        assert net.forward(x=[0.1])["y"] == pytest.approx(math.tanh(0.1 * scale), rel=1e-6)
    net.seek(0)  # a resumed run goes on from its step, wherever that is
    assert net.forward(x=[0.1])["y"] == pytest.approx(math.tanh(0.1 * scales[0]), rel=1e-6)


def test_a_sample_of_zeros_has_no_direction():
    y, = build("L2Norm", [[[0.0, 0.0], [3.0, 4.0]]]).forward()
    assert np.isnan(y[0]).all()
    np.testing.assert_allclose(y[1], [0.6, 0.8])


def test_ties_rank_wrong():
    assert build("RankAccuracy", [[[1.0], [2.0], [3.0]], [[1.0], [1.0], [4.0]]]).forward()[0] == pytest.approx(1 / 3)


def test_bit_terms_are_opposites_and_double_a_bottom_named_twice():
    h = RNG.random((5, 4))
    first, second = (build(f"K{i}_EuclideanLoss", [h, h]) for i in (1, 2))
    assert first.forward()[0] == -second.forward()[0] < 0
    assert np.array_equal(slope(first), -slope(second))
    net = """layer { name: "h" type: "Parameter" top: "h" parameter_param { shape { dim: 5 dim: 4 } } }
             layer { name: "it" type: "K1_EuclideanLoss" bottom: "h" bottom: "h" top: "loss" %s }"""
    for options, factor in (("", 2), ("propagate_down: true propagate_down: false", 1),
                            ("published_gradient_param { gradient: EXACT }", 1)):
        built = Net(parse(net % options, "NetParameter"), TRAIN)
        built.params["h"][0].data[...] = h
        built.forward()
        built.backward()
        np.testing.assert_allclose(built.params["h"][0].diff, factor * slope(first), rtol=1e-5)


def test_published_bit_gradients_are_one_number_for_all():
    h = np.array([[0.9, 0.6, 0.2], [0.7, 0.4, 0.6]])  # bits 110 and 101
    even = build("EvenDistLoss", [h, h], "loss_weight: 3")
    assert even.forward()[0] == pytest.approx(0.25 / (2 * 2))
    np.testing.assert_allclose(slope(even, 3.0), 3 * 0.5 / (2 * 3) / 2)
    quantize = build("MinQuantizeLoss", [h, h])
    total = -0.1 * 0.9 - 0.4 * 0.6 + 0.2 * 0.2 - 0.3 * 0.7 + 0.4 * 0.4 - 0.4 * 0.6
    for times in (1, 2, 3):  # it never begins anew
        assert quantize.forward()[0] == pytest.approx((0.01 + 0.16 + 0.04 + 0.09 + 0.16 + 0.16) / 4)
        here, spare = quantize.backward([ONE], [True, True])
        np.testing.assert_allclose(here, times * total / (2 * 3) / 2)
        np.testing.assert_allclose(spare, -here)


def test_published_transform_gradient_leaves_the_weights_out():
    a, b, u = RNG.normal(size=(3, 2)), RNG.normal(size=(3, 2)), np.array([0.5, 2, 0])
    alone = build("TransformLoss", [a, b, u, [3, 1, 1]])
    assert alone.forward()[0] == pytest.approx(np.square(a - b).sum(axis=1) @ [1.5, 2, 0] / 6)
    da, db, du, dv = alone.backward([ONE], [True] * 4)
    np.testing.assert_allclose(da, (a - b) / 3)
    np.testing.assert_allclose(db, -da)
    assert not du.any() and not dv.any()


@pytest.mark.parametrize("labels", [LABELS, TWO_HOT, np.zeros(6), np.arange(6)], ids=["classes", "sets", "one", "none"])
@pytest.mark.parametrize(("alpha", "times", "weighted"), [(1, 1, False), (0.25, 5, False), (2, 1, True)])
def test_pairwise_likelihood_pair_by_pair(labels, alpha, times, weighted):
    u, terms = RNG.normal(size=(6, 4)), []
    for i, j in itertools.combinations(range(6), 2):
        sets = [set(np.flatnonzero(labels[n])) if labels.ndim > 1 else {labels[n]} for n in (i, j)]
        alike, t = bool(sets[0] & sets[1]), alpha * (u[i] @ u[j])
        share = len(sets[0] & sets[1]) / len(sets[0] | sets[1]) if alike and weighted else 1
        terms.append((alike, -share * math.log(1 / (1 + math.exp(-t if alike else t))) * (times if alike else 1)))
    counts = {alike: sum(kind == alike for kind, _ in terms) for alike in (True, False)}
    want = sum(cost * (15 / counts[alike] if weighted else 1) for alike, cost in terms) / 15
    alone = build("PairwiseLoss", [u, labels], f"pairwise_param {{ sigmoid_param: {alpha} class_num: {times} "
                  f"weighted: {str(weighted).lower()} }}")
    assert alone.forward()[0] == pytest.approx(want, rel=1e-6)


def test_long_codes_do_not_overflow():
    codes = np.array([[300.0, 0], [300, 0], [-300, 0]])
    pairwise, quantization = (
        build("PairwiseLoss", [codes, [0, 1, 1]], "pairwise_param { weighted: false }"),
        build("QuantizationLoss", [codes]))
    assert pairwise.forward()[0] == pytest.approx((9e4 + 9e4 + 0) / 3)
    np.testing.assert_allclose(slope(pairwise)[:, 0], [100, 200, -100])
    assert quantization.forward()[0] == pytest.approx((3 * (299 - math.log(2)) + 3 * math.log(math.cosh(1))) / 6)


def triplets(a, p, q, margin):
    return [max(0.0, margin + sum((x - y) ** 2) - sum((x - z) ** 2)) for x, y, z in zip(a, p, q)]


@pytest.mark.parametrize("margin", [0.5, 4])
def test_triplet_losses_of_three_forks(margin):
    a, p, q = RNG.normal(size=(3, 6, 4))
    terms, weights = triplets(a, p, q, margin), RNG.random(6)
    plain = build("TripletLoss", [a, p, q], f"triplet_loss_param {{ margin: {margin} }}")
    weighted = build("TripletLoss", [a, p, q, weights], f"triplet_loss_param {{ margin: {margin} }}")
    hinge = build("TripletRankingHingeLoss", [a, p, q], "triplet_ranking_hinge_loss_param { dim: 4 "
                  f"margin: {margin} }}")
    naive = build("NaiveTripletLoss", [np.concatenate([a, p, q])], f"triplet_loss_param {{ margin: {margin / 2} }}",
                  "y right")
    assert plain.forward()[0] == pytest.approx(sum(terms) / 12)
    assert weighted.forward()[0] == pytest.approx(weights @ terms / 12)
    assert hinge.forward()[0] == pytest.approx(sum(terms) / 6)
    loss, right = naive.forward()  # similarities are half of the squared distances
    assert loss == pytest.approx(sum(terms) / 12)
    assert right == sum(sum((x - y) ** 2) < sum((x - z) ** 2) for x, y, z in zip(a, p, q)) / 6
    np.testing.assert_allclose(slope(hinge, 7.0), 4 * slope(plain))  # blind to the loss weight
    assert not weighted.backward([ONE], [False] * 3 + [True])[3].any()
    assert not any(diff.any() for diff in hinge.backward([ONE], [False, True, True])[1:])


@pytest.mark.parametrize("sample", [False, True])
@pytest.mark.parametrize("kind", ["Euclidean", "DotProduct"])
def test_published_naive_triplet_gradient(kind, sample):
    a, p, q = RNG.normal(size=(3, 5, 3))
    naive = build("NaiveTripletLoss", [np.concatenate([a, p, q])], "loss_weight: 5 triplet_loss_param { margin: 1 "
                  f'sim_type: "{kind}Similarity" sample: {str(sample).lower()} }}', "y right")
    naive.forward()
    diffs = slope(naive, 5.0).reshape(3, 5, 3)
    for n in range(5):
        near, far = (x @ y if kind == "DotProduct" else -sum((x - y) ** 2) / 2
                     for x, y in ((a[n], p[n]), (a[n], q[n])))
        used = 1 - near + far > 0 and (near > far or not sample)
        want = [q[n], -a[n], a[n]] if kind == "DotProduct" else [q[n] - a[n], p[n] - a[n], a[n] - q[n]]
        np.testing.assert_allclose(diffs[:, n], want if used else np.zeros((3, 3)), err_msg=str(n))


@pytest.mark.parametrize("labels", [RUNS, np.arange(8), np.zeros(8), np.repeat([0, 1], 4)])
@pytest.mark.parametrize(("margin", "mu", "sample"), [(1, 1, False), (4, 0.8, True), (30, 0.2, False), (2, 1.5, True)])
def test_batch_triplets_one_by_one(labels, margin, mu, sample):
    x = RNG.normal(size=(8, 3))
    run = np.cumsum([0, *(labels[1:] != labels[:-1])])
    pairs = [(i, j) for i in range(8) for j in range(8) if i != j and run[i] == run[j]]
    found, pull, ranking, used, right, slopes = 0, 0.0, 0.0, [], 0, np.zeros(x.shape)
    for i, j in pairs:
        near = sum((x[i] - x[j]) ** 2)
        pull += near / len(pairs)
        for k in np.flatnonzero(labels != labels[i]):
            gap, found = margin + near - sum((x[i] - x[k]) ** 2), found + 1
            ranking, right = ranking + max(gap, 0), right + (gap < margin)
            if gap > 0 and (gap < margin or not sample):
                used.append((gap, i, j, k))
    for _, i, j, k in used:
        slopes[i] += mu / len(used) * 2 * (x[k] - x[j])
        slopes[j] += mu / len(used) * 2 * (x[j] - x[i])
        slopes[k] += mu / len(used) * 2 * (x[i] - x[k])
    for i, j in pairs if mu < 1 else ():
        slopes[i] += (1 - mu) / len(pairs) * 4 * (x[i] - x[j])  # as (i, j) and as (j, i)
    ranking, pull = ranking / max(1, found), pull if mu < 1 else 0
    alone = build("BatchTripletLoss", [x, labels], f"loss_weight: 9 triplet_loss_param {{ margin: {margin} mu: {mu} "
                  f"sample: {str(sample).lower()} }}", "y right figures")
    loss, accuracy, figures = alone.forward()
    assert alone.layer.loss_weights == [9, 0, 0]
    assert loss == pytest.approx(mu * ranking + (1 - mu) * pull)
    assert accuracy == pytest.approx(right / found if found else 1)
    mean = sum(gap for gap, *_ in used) / max(1, len(used))
    np.testing.assert_allclose(figures[0, 0, 0], [mean, ranking, pull, found, len(used)], rtol=1e-6)
    np.testing.assert_allclose(slope(alone, 9.0), slopes, rtol=1e-6, atol=1e-7)  # mu is a float32


@pytest.mark.parametrize("labels", [LABELS, TWO_HOT, np.zeros(6), np.arange(6)], ids=["classes", "sets", "one", "none"])
@pytest.mark.parametrize("margin", [1, 3])
def test_lifted_structure_pair_by_pair(labels, margin):
    x, sets = RNG.normal(size=(6, 4)), [set(np.flatnonzero(row)) for row in TWO_HOT]
    if labels.ndim == 1:
        sets = [{label} for label in labels]
    apart = [[math.dist(a, b) for b in x] for a in x]
    pairs = [(i, j) for i, j in itertools.combinations(range(6), 2) if sets[i] & sets[j]]
    others = [(i, k) for i in range(6) for k in range(6) if not sets[i] & sets[k] and i != k]
    loss = 0.0
    for pair in pairs:
        inner = sum(math.exp(margin - apart[i][k]) for i, k in others for member in pair if member == i)
        if inner:
            loss += max(0.0, math.log(inner) + apart[pair[0]][pair[1]]) ** 2 / (2 * len(pairs))
    alone = build("LiftedStructSimilaritySoftmaxLoss", [x, labels],
                  f"lifted_struct_sim_softmax_loss_param {{ margin: {margin} }}")
    assert alone.forward()[0] == pytest.approx(loss, rel=1e-6)
    assert bool(loss) == slope(alone).any()


@pytest.mark.parametrize("scale", [1, 20, 200, 300, 3000])
def test_lifted_structure_of_distant_samples(scale):
    x, labels = scale * np.array([[0.0, 0], [1.5, 0], [0, 1], [2, 2]]), [0, 0, 1, 1]
    alone = build("LiftedStructSimilaritySoftmaxLoss", [x, labels], dtype="float32")
    apart = np.sqrt(np.square(x[:, None] - x).sum(axis=2))
    j = [np.logaddexp.reduce(1 - apart[np.ix_([i, i + 1], [2 - i, 3 - i])].ravel()) + apart[i, i + 1] for i in (0, 2)]
    assert alone.forward()[0] == pytest.approx(np.square(np.maximum(j, 0)).sum() / 4, rel=1e-4)
    slopes = slope(alone)
    assert np.isfinite(slopes).all() and slopes.any()
    np.testing.assert_allclose(slopes.sum(axis=0), 0, atol=1e-4 * abs(slopes).max())


def test_equal_samples_do_not_pull():
    x = np.array([[1.0, 2], [1, 2], [5, 5]])
    alone = build("LiftedStructSimilaritySoftmaxLoss", [x, [0, 0, 1]],
                  "lifted_struct_sim_softmax_loss_param { margin: 9 }")
    alone.forward()
    assert np.isfinite(slope(alone)).all()


@pytest.mark.parametrize(("kind", "options"), [
    ("BatchTripletLoss", ""), ("LiftedStructSimilaritySoftmaxLoss", ""),
    ("PairwiseLoss", "pairwise_param { weighted: false }")])
def test_a_net_that_has_diverged_shows_it(kind, options):
    alone = build(kind, [[[np.nan], [1.0], [2.0], [3.0]], [0, 0, 1, 1]], options, "y a" if "Batch" in kind else "y")
    assert np.isnan(alone.forward()[0])


def test_centres_step_towards_their_classes():
    x = np.array([[1.0, 0], [3, 0], [0, 5]])
    alone = build("CenterLoss", [x, [2, 2, 0]], "loss_weight: 0.5 center_loss_param { num_output: 3 }")
    assert alone.forward()[0] == pytest.approx((1 + 9 + 25) / 6)
    np.testing.assert_allclose(slope(alone, 0.5), x / 6)
    np.testing.assert_allclose(alone.layer.blobs[0].diff, [[0, -5 / 2], [0, 0], [-4 / 3, 0]])
    alone.values[1][0] = 3
    with pytest.raises(DataError, match="0 ... 2, got 3"):
        alone.forward()


def test_a_centre_loss_without_a_weight_only_reports():
    net = """input: "x" input_shape { dim: 2 dim: 3 } input: "l" input_shape { dim: 2 }
             layer { name: "ip" type: "InnerProduct" bottom: "x" top: "f" inner_product_param { num_output: 2 } }
             layer { name: "it" type: "CenterLoss" bottom: "f" bottom: "l" top: "y" %s center_loss_param {
               num_output: 2 center_filler { type: "gaussian" } } }"""
    for options, learns in (("", False), ("loss_weight: 0.1", True)):
        built = Net(parse(net % options, "NetParameter"), TRAIN, random_seed=1)
        built.forward(x=np.ones((2, 3)))
        built.backward()
        assert built.blobs["y"].data > 0
        assert (built.loss > 0) == learns
        assert any(blob.diff.any() for blob in built.params["it"]) == learns
