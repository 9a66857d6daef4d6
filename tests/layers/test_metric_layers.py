"""Losses over distances to classes, distances, products with a margin: published gradients, states, errors."""

import itertools

import numpy as np
import pytest
from layer_rows import build

from blobnet.errors import DataError, NetError, ShapeError

RNG = np.random.default_rng(2)
DISTANCES, LABELS = RNG.uniform(0, 2.5, (7, 4)), np.array([0, 1, 3, 0, 2, 0, 1])


def published(kind, values, options, tops="y", weight=1.0):
    """The tops and the diff of the first bottom."""
    alone = build(kind, values, options, tops)
    y = alone.forward()
    return y, alone.backward([np.full(top.shape, weight) for top in y], [True] + [False] * (len(values) - 1))[0]


def slow_contrastive(d, labels, low, high, end, push, norm, largest, one, first, exp):
    """Costs and slopes of every distance, one after the other."""
    costs, slopes, (n, k) = np.zeros(d.shape), np.zeros(d.shape), d.shape
    place = 0
    for i, y in enumerate(labels):
        best = 0
        for j in range(k):
            if j == y:
                costs[i, j] = min(end, max(0, d[i, j] - low))
                if costs[i, j] < costs[place, labels[place]]:
                    place = i
            elif d[i, j] < high:
                costs[i, j] = push * (np.exp(-d[i, j]) if exp else high - d[i, j])
                best = j if costs[i, j] > costs[i, best] else best
        far = first and d[i, y] > 1
        for j in set(range(k)) - {y}:
            costs[i, j] *= not far and (j == best or not largest)
            slopes[i, j] = (-push * (np.exp(-d[i, j]) if exp else 1)) if costs[i, j] else 0
        slopes[i, y] = low < d[i, y] < end or far
    for i, y in enumerate(labels):
        if one and i != place:
            costs[i, y] = 0
            slopes[i, y] = first and d[i, y] > 1
    share = abs(slopes[slopes < 0].sum()) / norm / n if norm else 0
    slopes[slopes < 0] /= max(1, share)
    return costs.sum() / n, slopes / n


@pytest.mark.parametrize("flags", list(itertools.product([False, True], repeat=5)))
def test_general_contrastive_loss_one_by_one(flags):
    largest, one, first, exp, shrink = flags
    options = " ".join(f"{name}: true" for name, flag in zip(
        ["max_negative_only", "max_positive_only", "positive_first", "exp_negative_weight"], flags) if flag)
    options += " normalize_negative: 0.4" * shrink
    (loss,), dx = published("GeneralContrastiveLoss", [DISTANCES, LABELS], "general_contrastive_loss_param { "
                            "positive_margin: 0.25 negative_margin: 1.75 positive_outlier_thresh: 1.5 "
                            f"negative_weight: 0.5 {options} }}", weight=3)
    cost, slopes = slow_contrastive(DISTANCES, LABELS, 0.25, 1.75, 1.5, 0.5, 0.4 * shrink, largest, one, first, exp)
    assert loss == pytest.approx(cost)
    np.testing.assert_allclose(dx, slopes * 3, rtol=1e-6, atol=1e-12)


def test_the_mean_distance_to_the_own_class_moves_the_margin():
    alone = build("GeneralContrastiveLoss", [[[0.5, 1.1]], [0]], "loss_weight: 1 loss_weight: 0 "
                  "general_contrastive_loss_param { add_intra_mae: true max_negative_margin: 0.009 }", "y d")
    layer = alone.layer
    alone.forward()
    for margin, mean in ((1.005, 0.009), (1.009, 0.009)):
        layer.forward(alone.bottom, alone.top)
        assert alone.top[0].data == pytest.approx(0.5 + max(0, margin - 1.1))
        np.testing.assert_allclose(alone.top[1].data, [0.5, max(0, margin - 1.1), mean], rtol=1e-6)


def slow_triplet(d, labels, push, center, hardest, first, weights):
    costs, slopes, n = np.zeros(d.shape), np.zeros(d.shape), len(d)
    for i, y in enumerate(labels):
        others = [j for j in range(d.shape[1]) if j != y and d[i, y] + 0.5 > d[i, j]]
        if first and d[i, y] > 1:
            slopes[i, y] = 2
            continue
        if hardest:
            others = sorted(others, key=lambda j, i=i: d[i, j])[:1]
        for j in others:
            costs[i, j], slopes[i, j] = push * (d[i, y] + 0.5 - d[i, j]), -push
        slopes[i, y] = 2 * bool(center or others)
    return costs.sum() / n, slopes * weights[:, None] / n


@pytest.mark.parametrize("flags", list(itertools.product([False, True], repeat=4)))
def test_general_triplet_loss_one_by_one(flags):
    center, hardest, first, weighted = flags
    weights = RNG.uniform(1, 2, 7) if weighted else np.ones(7)
    options = f"add_center_loss: {center} hardest_only: {hardest} positive_first: {first}".lower()
    (loss,), dx = published("GeneralTripletLoss", [DISTANCES, LABELS] + [weights] * weighted,
                            f"general_triplet_loss_param {{ margin: 0.5 positive_weight: 2 negative_weight: 0.75 "
                            f"{options} }}", weight=3)
    cost, slopes = slow_triplet(DISTANCES, LABELS, 0.75, center, hardest, first, weights)
    assert loss == pytest.approx(cost)
    np.testing.assert_allclose(dx, slopes * 3, rtol=1e-6, atol=1e-12)


def test_a_hardest_class_at_distance_0():
    _, dx = published("GeneralTripletLoss", [[[0.25, 0, 3]], [0]],
                      "general_triplet_loss_param { margin: 0.5 hardest_only: true add_center_loss: false }")
    assert dx.tolist() == [[0, 0.75, 0]]


@pytest.mark.parametrize("kind", ["L1", "L2"])
@pytest.mark.parametrize("own_only", [False, True])
def test_inner_distance_one_by_one(kind, own_only):
    x, c = RNG.normal(size=(7, 3)), RNG.normal(size=(4, 3))
    alone = build("InnerDistance", [x, c, LABELS], f'inner_distance_param {{ distance_type: "{kind}" '
                  f"update_center_only: {str(own_only).lower()} }}")
    alone.forward()
    dy = RNG.normal(size=(7, 4))
    dx, dc, _ = alone.backward([dy], [True, True, False])
    slow_x, slow_c = np.zeros(x.shape), np.zeros(c.shape)
    for n, k, d in np.ndindex(7, 4, 3):
        gap = x[n, d] - c[k, d]
        slope = 2 * gap * dy[n, k] if kind == "L2" else dy[n, k] if gap > 0 else -1
        slow_x[n, d] += slope
        if LABELS[n] == k or not own_only:
            slow_c[k, d] += -slope if kind == "L2" else dy[n, k] if gap < 0 else -1
    np.testing.assert_allclose(dx, slow_x)
    np.testing.assert_allclose(dc, slow_c)


def test_inner_distance_keeps_the_centres_scaled():
    alone = build("InnerDistance", [[[0.0, 0.0]]], "inner_distance_param { num_output: 1 normalize: true }")
    alone.parameters[0][...] = [[3, 4]]
    (y,) = alone.forward()
    np.testing.assert_allclose(alone.layer.blobs[0].data, [[0.6, 0.8]], rtol=1e-6)
    assert y == pytest.approx(1, rel=1e-6)


@pytest.mark.parametrize("kind", ["SINGLE", "DOUBLE", "TRIPLE", "QUADRUPLE"])
def test_margin_inner_product_scales_two_coefficients_to_length_1(kind):
    x, weight, dy = RNG.normal(size=(7, 3)), RNG.normal(size=(4, 3)), RNG.normal(size=(7, 4))
    diffs = {}
    for gradient in ("EXACT", "PUBLISHED"):
        alone = build("MarginInnerProduct", [x, LABELS], "margin_inner_product_param { num_output: 4 base: 0.5 type: "
                      f'{kind} gradient: {gradient} weight_filler {{ type: "gaussian" }} }}', "y level")
        alone.parameters[0][...] = weight
        alone.forward()
        diffs[gradient] = alone.backward([dy, [0]], [True, False])[0]
    np.testing.assert_allclose(alone.layer.blobs[0].diff, dy.T @ x)
    unit = weight / np.linalg.norm(weight, axis=1, keepdims=True)
    for n, y in enumerate(LABELS):
        others = dy[n] @ unit - dy[n, y] * unit[y] * (1 - 0.5 / 1.5)
        exact, published = (diffs[name][n] - others for name in ("EXACT", "PUBLISHED"))
        parts = np.linalg.lstsq(np.array([unit[y], x[n]]).T, exact * 1.5 / dy[n, y], rcond=None)[0]
        np.testing.assert_allclose(published, exact / np.linalg.norm(parts))


def test_margin_inner_product_counts_its_forwards():
    alone = build("MarginInnerProduct", [np.ones((2, 3)), [0, 1]], 'margin_inner_product_param { num_output: 2 base: 6 '
                  'gamma: 2 iteration: 1 lambda_min: 0.7 weight_filler { type: "xavier" } }', "y level")
    levels = []
    for step in range(3):
        alone.layer.context.step = step
        levels.append(alone.forward()[1].item())
    np.testing.assert_allclose(levels, [6 / 5, 6 / 7, 0.7], rtol=1e-6)


def test_margin_inner_product_of_zeros():
    alone = build("MarginInnerProduct", [np.zeros((2, 3)), [0, 1]], "margin_inner_product_param { num_output: 2 "
                  "type: TRIPLE }", "y level")
    assert abs(alone.forward()[0]).max() < 1e-29
    assert np.isfinite(alone.backward([np.ones((2, 2)), [0]], [True, False])[0]).all()


def lstm(x, options="", *clip):
    alone = build("Lstm", [x, *clip], 'lstm_param { num_output: 2 weight_filler { type: "gaussian" } bias_filler { '
                  f'type: "gaussian" }} {options} }}')
    for i, shape in enumerate([(8, 3), (8, 2), (8,)]):
        alone.parameters[i][...] = np.random.default_rng(i).normal(size=shape)
    return alone


def slow_lstm(alone, rows, clip, h, c):
    """One sequence, without any batch."""
    W, U, b = alone.parameters
    for x, k in zip(rows, clip):
        h, c = (h, c) if k else (h * 0, c * 0)
        i, f, o, g = (W @ x + U @ h + b).reshape(4, 2)
        i, f, o = (1 / (1 + np.exp(-value)) for value in (i, f, o))
        c = f * c + i * np.tanh(g)
        h = o * np.tanh(c)
        yield h, c


def test_lstm_takes_time_before_sequences():
    x, first = RNG.normal(size=(5, 2, 3)), (False, True, True, True, True)
    alone = lstm(x)
    (y,) = alone.forward()
    (flat,) = lstm(x.reshape(10, 3, 1, 1), "batch_size: 2").forward()
    assert flat.shape == (10, 2)
    np.testing.assert_array_equal(flat.reshape(y.shape), y)
    for n in range(2):
        wanted = [h for h, _ in slow_lstm(alone, x[:, n], first, np.zeros(2), np.zeros(2))]
        np.testing.assert_allclose(y[:, n], wanted)


def test_lstm_goes_on_where_clip_is_not_0():
    x, clip = RNG.normal(size=(8, 3)), np.array([[1, 1], [1, 0], [0, 2], [1, 1]])
    alone = lstm(x, "batch_size: 2", clip)
    alone.forward()
    states = np.zeros((2, 2, 2))
    for again in range(2):
        if again:
            alone.layer.forward(alone.bottom, alone.top)
        y = alone.top[0].data.reshape(4, 2, 2)
        for n in range(2):
            steps = list(slow_lstm(alone, x[n::2], clip[:, n], *states[n]))
            np.testing.assert_allclose(y[:, n], [h for h, _ in steps])
            states[n] = steps[-1]
    alone.layer.seek(0)
    assert not any(blob.data.any() for blob in alone.layer.states)


def test_lstm_multiplies_with_the_last_state_even_where_a_sequence_begins():
    x, clip, dy = RNG.normal(size=(4, 3)), np.array([0, 1, 0, 1]), RNG.normal(size=(4, 2))
    diffs = {}
    for gradient in ("PUBLISHED", "EXACT"):
        alone = lstm(x, f"gradient: {gradient}", clip)
        (y,) = alone.forward()
        dx = alone.backward([dy], [True, False])[0]
        diffs[gradient] = [dx, *(blob.diff for blob in alone.layer.blobs)]
    gates = alone.layer.recurrence.diffs[:, 0]
    for i in (0, 1, 3):
        np.testing.assert_array_equal(diffs["PUBLISHED"][i], diffs["EXACT"][i])
    np.testing.assert_allclose(diffs["PUBLISHED"][2] - diffs["EXACT"][2], np.outer(gates[2], y[1]))


D, Y = np.ones((2, 3)), np.array([0, 2])
MARGIN = "margin_inner_product_param { num_output: 2 }"
REFUSED = [  # type, bottoms, options, tops, error, parts of the message
    ("GeneralContrastiveLoss", [D, np.ones(3)], "", "y", ShapeError, "rows in both got (2, 3) and (3,)"),
    ("GeneralContrastiveLoss", [D, D], "", "y", ShapeError, "expected 2 labels got 6"),
    ("GeneralContrastiveLoss", [D[:, :0], Y], "", "y", ShapeError, "N and K at least 1, got (2, 0)"),
    ("GeneralContrastiveLoss", [D, Y], "loss_weight: 1", "y d", NetError, "one a top (2), got 1; write 0"),
    ("GeneralContrastiveLoss", [D, Y + 1], "", "y", DataError, "expected labels in 0 ... 2, got 3"),
    ("GeneralTripletLoss", [D, Y, np.ones(3)], "", "y", ShapeError, "expected one weight a row, 2, got (3,)"),
    ("InnerDistance", [D], "", "y", NetError, "expected num_output above 0, got 0; write inner_distance_param"),
    ("InnerDistance", [D], 'inner_distance_param { num_output: 2 distance_type: "L3" }', "y", NetError,
     "'L1' or 'L2', got 'L3'"),
    ("InnerDistance", [D, D], "inner_distance_param { update_center_only: true }", "y", NetError,
     "x, centres, labels with update_center_only, got 2"),
    ("InnerDistance", [D, D, np.ones(3)], "inner_distance_param { update_center_only: true }", "y", ShapeError,
     "one label a row, 2, got (3,)"),
    ("InnerDistance", [D, np.ones((2, 4))], "", "y", ShapeError, "centres 'x1', rows of 3 numbers got (2, 4)"),
    ("MarginInnerProduct", [D, Y], "", "y l", NetError, "expected num_output above 0, got 0; write num_output"),
    ("MarginInnerProduct", [D, Y], MARGIN, "y", NetError, "expected 2 top blobs, got 1"),
    ("MarginInnerProduct", [D, D], MARGIN, "y l", ShapeError, "expected one label a row, 2, got (2, 3)"),
    ("MarginInnerProduct", [D, Y], MARGIN, "y l", DataError, "expected labels in 0 ... 1, got 2; num_output"),
    ("Lstm", [D], "", "y", NetError, "expected num_output and batch_size above 0, got 0 and 1; write lstm_param"),
    ("Lstm", [np.ones((5, 3))], "lstm_param { num_output: 2 batch_size: 2 }", "y", ShapeError,
     "expected x (T, 2, I) or (T * 2, I), by batch_size, got (5, 3)"),
    ("Lstm", [np.ones((5, 3, 1))], "lstm_param { num_output: 2 batch_size: 2 }", "y", ShapeError,
     "expected x (T, 2, I) or (T * 2, I), by batch_size, got (5, 3, 1)"),
    ("Lstm", [D[:0]], "lstm_param { num_output: 2 }", "y", ShapeError, "a step at least, of 3 numbers got (0, 3)"),
    ("Lstm", [D, D], "lstm_param { num_output: 2 }", "y", ShapeError, "2 numbers in clip, one a row, got (2, 3)"),
]


@pytest.mark.parametrize("kind, values, options, tops, error, parts", REFUSED)
def test_refused(kind, values, options, tops, error, parts):
    with pytest.raises(error) as caught:
        build(kind, values, options, tops).forward()
    message, position = str(caught.value), 0
    assert message.startswith(f"layer 'it' ({kind})")
    for part in parts.split():  # the words in this order, others may stand between
        position = message.index(part, position) + len(part)
