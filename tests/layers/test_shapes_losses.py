"""Layers that pick, cut, repeat and reduce, and the losses of pairs, margins and matrices, against loops."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from layer_rows import build
from scipy.special import log_expit, log_softmax

from blobnet.core.context import TRAIN
from blobnet.core.net import Net
from blobnet.errors import DataError, NetError, ShapeError
from blobnet.proto.blobs import write_blob
from blobnet.proto.text import parse

RNG = np.random.default_rng(11)
X = np.arange(120.0).reshape(2, 3, 4, 5)
BOTH = (False, True)
SCORES, LABELS = RNG.normal(size=(3, 4)), [0, 3, 1]


# BatchReindex, Filter


@pytest.mark.parametrize("indices", [[0, 1, 2], [2, 2, 0, 2], [1], []])
def test_batch_reindex(indices):
    x = RNG.normal(size=(3, 2, 2))
    alone = build("BatchReindex", [x, indices])
    (y,) = alone.forward()
    assert y.shape == (len(indices), 2, 2)
    for row, index in zip(y, indices):
        np.testing.assert_array_equal(row, x[index])
    dy, want = RNG.normal(size=y.shape), np.zeros(x.shape)
    for row, index in zip(dy, indices):
        want[index] += row
    np.testing.assert_allclose(alone.backward([dy], [True, False])[0], want)


@pytest.mark.parametrize("index", [-1, 3])
def test_batch_reindex_refuses_rows_that_are_not_there(index):
    with pytest.raises(DataError, match=rf"'it' \(BatchReindex\): expected indices in 0 ... 2, got {index}; .*'x0'"):
        build("BatchReindex", [np.ones((3, 2)), [0, index]]).forward()


@pytest.mark.parametrize("marks", [[1, 0, 1, 0], [0, 0, 0, -2], [0.1, np.nan, 3, 1], [0, 0, 0, 0]])
def test_filter(marks):
    x, labels = RNG.normal(size=(4, 2, 3)), np.arange(4.0)
    alone = build("Filter", [x, labels, np.reshape(marks, (4, 1, 1, 1))], tops="y l")
    assert [blob.shape for blob in alone.top] == [(4, 2, 3), (4,)]  # all rows until the first forward
    y, kept = alone.forward()
    rows = [n for n, mark in enumerate(marks) if mark != 0]
    assert kept.tolist() == rows
    assert y.tolist() == [x[n].tolist() for n in rows]
    dx, _, _ = alone.backward([y + 1, kept], [True, False, False])
    for n in range(4):
        np.testing.assert_array_equal(dx[n], x[n] + 1 if n in rows else 0)


def test_filter_follows_its_selector():
    alone = build("Filter", [X, [0, 1]])
    for marks in ([0, 1], [1, 1], [0, 0], [1, 0]):
        alone.values[1] = np.array(marks, float)
        np.testing.assert_array_equal(alone.forward()[0], X[np.array(marks, bool)])


def test_layers_above_a_filter_follow_it():
    net = Net(parse("""force_backward: true
        layer { name: "d" type: "Input" top: "x" top: "s" input_param { shape { dim: 3 dim: 2 } shape { dim: 3 } } }
        layer { name: "f" type: "Filter" bottom: "x" bottom: "s" top: "y" }
        layer { name: "r" type: "Reduction" bottom: "y" top: "loss" loss_weight: 1
                reduction_param { operation: SUMSQ } }""", "NetParameter"), TRAIN)
    for marks, loss in (([1, 0, 1], 10), ([0, 0, 0], 0), ([1, 1, 1], 12)):
        net.forward(x=[[1, 2], [1, 1], [1, 2]], s=marks)
        net.backward()
        assert net.loss == loss
        assert net.blobs["x"].diff.tolist() == [[2 * m, 4 * m] if n != 1 else [2 * m, 2 * m]
                                                for n, m in enumerate(marks)]
        assert not net.blobs["s"].diff.any()


# Crop, Tile, Reshape


@given(st.data())
def test_crop(data):
    shape = data.draw(st.lists(st.integers(1, 4), min_size=1, max_size=4))
    axis = data.draw(st.integers(0, len(shape) - 1))
    offsets = [data.draw(st.integers(0, size - 1)) for size in shape[axis:]]
    sizes = [data.draw(st.integers(1, size - offset)) for size, offset in zip(shape[axis:], offsets)]
    negative = data.draw(st.booleans())
    text = " ".join(f"offset: {offset}" for offset in offsets)
    reference = np.ones([1] * axis + sizes)  # the sizes before the axis do not count
    x = RNG.normal(size=shape)
    alone = build("Crop", [x, reference], f"crop_param {{ axis: {axis - len(shape) * negative} {text} }}")
    (y,) = alone.forward()
    assert list(y.shape) == shape[:axis] + sizes
    dy, want = RNG.normal(size=y.shape), np.zeros(shape)
    for place in np.ndindex(y.shape):
        source = tuple(p + (offsets[k - axis] if k >= axis else 0) for k, p in enumerate(place))
        assert y[place] == x[source]
        want[source] = dy[place]
    dx, dr = alone.backward([dy], [True, True])
    np.testing.assert_array_equal(dx, want)
    assert not dr.any()


@pytest.mark.parametrize(("options", "part"), [
    ("", np.s_[:, :, :2, :3]), ("offset: 2", np.s_[:, :, 2:4, 2:5]), ("axis: -1 offset: 1", np.s_[..., 1:4]),
    ("axis: 3", np.s_[..., :3])])
def test_one_offset_is_for_all_axes(options, part):
    (y,) = build("Crop", [X, np.ones((9, 9, 2, 3))], f"crop_param {{ {options} }}").forward()
    np.testing.assert_array_equal(y, X[part])


@pytest.mark.parametrize("axis", [0, 1, 2, 3, -1, -3])
@pytest.mark.parametrize("tiles", [1, 2, 3])
def test_tile(axis, tiles):
    alone = build("Tile", [X], f"tile_param {{ axis: {axis} tiles: {tiles} }}")
    (y,) = alone.forward()
    np.testing.assert_array_equal(y, np.concatenate([X] * tiles, axis=axis))
    dy = RNG.normal(size=y.shape)
    np.testing.assert_allclose(alone.backward([dy], [True])[0], sum(np.split(dy, tiles, axis=axis)))


def test_tile_default_axis():
    assert build("Tile", [X], "tile_param { tiles: 2 }").forward()[0].shape == (2, 6, 4, 5)


@pytest.mark.parametrize(("options", "shape"), [
    ("shape { dim: 0 dim: -1 }", (2, 60)), ("shape { dim: 0 dim: 0 dim: 20 }", (2, 3, 20)),
    ("shape { dim: -1 dim: 6 }", (20, 6)), ("shape { dim: -1 }", (120,)),
    ("shape { dim: 5 dim: -1 dim: 0 dim: 2 }", (5, 3, 4, 2)), ("shape { dim: 0 dim: -1 } axis: 1", (2, 3, 20)),
    ("shape { dim: -1 } axis: 1 num_axes: 2", (2, 12, 5)),
    ("shape { dim: 2 dim: 6 } axis: 1 num_axes: 2", (2, 2, 6, 5)),
    ("shape { dim: 1 dim: 1 } axis: -1", (2, 3, 4, 5, 1, 1)), ("shape { dim: 1 } num_axes: 0", (1, 2, 3, 4, 5)),
    ("shape { dim: 1 } axis: 2 num_axes: 0", (2, 3, 1, 4, 5)), ("shape { dim: 5 dim: 4 } axis: -3", (2, 3, 5, 4)),
    ("shape { dim: 2 dim: 10 } axis: -3 num_axes: 2", (2, 3, 2, 10)), ("num_axes: 0", (2, 3, 4, 5)),
    ("shape { dim: 0 dim: 0 dim: 0 dim: 0 }", (2, 3, 4, 5))])
def test_reshape(options, shape):
    alone = build("Reshape", [X], f"reshape_param {{ {options} }}")
    (y,) = alone.forward()
    assert y.shape == shape
    np.testing.assert_array_equal(y, np.reshape(X, shape))
    np.testing.assert_array_equal(alone.backward([y + 1], [True])[0], X + 1)
    assert np.shares_memory(alone.top[0].data, alone.bottom[0].data)


@pytest.mark.parametrize(("options", "shape"), [
    ("shape { dim: 0 dim: -1 }", (0, 20)), ("shape { dim: -1 dim: 10 }", (0, 10)),
    ("shape { dim: 0 dim: 2 dim: -1 }", (0, 2, 10))])
def test_reshape_of_an_empty_batch(options, shape):
    assert build("Reshape", [np.ones((0, 4, 5))], f"reshape_param {{ {options} }}").forward()[0].shape == shape


def test_reshape_copies_past_what_it_replaces():
    (y,) = build("Reshape", [np.ones((6, 1, 5))],  # the 0 stands at axis 1, which is not replaced
                 "reshape_param { shape { dim: -1 dim: 0 } axis: 0 num_axes: 1 }").forward()
    assert y.shape == (6, 1, 1, 5)


def test_a_reshaped_loss_has_its_weight():
    alone = build("Reshape", [[1.0, 2.0]], "loss_weight: 3 reshape_param { shape { dim: 2 dim: 1 } }")
    alone.forward()
    assert alone.layer.loss(alone.top) == 9
    alone.layer.backward(alone.top, [True], alone.bottom)
    assert alone.bottom[0].diff.tolist() == [3, 3]


# ArgMax, Reduction


def best(values, k):
    """The k greatest as (value, place), of equal values the later first."""
    return sorted(((value, place) for place, value in enumerate(values)), reverse=True)[:k]


@pytest.mark.parametrize("shape", [(4,), (3, 5), (2, 3, 4), (2, 3, 2, 2), (2, 1, 2, 2, 3)])
@pytest.mark.parametrize(("k", "values", "ties"), [*itertools.product([1, 3], BOTH, BOTH)])
def test_arg_max_of_rows(shape, k, values, ties):
    x = RNG.integers(0, 2, shape).astype(float) if ties else RNG.normal(size=shape)
    options = f"argmax_param {{ top_k: {k} out_max_val: {str(values).lower()} }}"
    if k > math.prod(shape[1:]):
        with pytest.raises(ShapeError, match="top_k at most the 1 values"):
            build("ArgMax", [x], options)
        return
    (y,) = build("ArgMax", [x], options).forward()
    assert y.shape == (shape[0], 2 if values else 1, k) + (1,) * (len(shape) - 3)
    for got, row in zip(y, x.reshape(len(x), -1)):
        want = best(row, k)
        assert got[0].ravel().tolist() == [place for _, place in want]
        if values:
            assert got[1].ravel().tolist() == [value for value, _ in want]


@pytest.mark.parametrize("axis", [0, 1, 2, -1, -2])
@pytest.mark.parametrize(("k", "values", "ties"), [*itertools.product([1, 2], BOTH, BOTH)])
def test_arg_max_along_an_axis(axis, k, values, ties):
    x = RNG.integers(0, 2, (2, 3, 4)).astype(float) if ties else RNG.normal(size=(2, 3, 4))
    options = f"argmax_param {{ top_k: {k} axis: {axis} out_max_val: {str(values).lower()} }}"
    (y,) = build("ArgMax", [x], options).forward()
    want = np.apply_along_axis(lambda line: [pair[0 if values else 1] for pair in best(line, k)], axis, x)
    assert y.tolist() == want.tolist()


def test_arg_max_has_no_backward():
    alone = build("ArgMax", [X])
    (y,) = alone.forward()
    with pytest.raises(NetError, match="has no backward"):
        alone.backward([y], [True])
    alone.backward([y], [False])  # as force_backward asks


OPERATIONS = {"SUM": (sum, lambda x, k: 1), "MEAN": (lambda x: sum(x) / len(x), lambda x, k: 1 / k),
              "ASUM": (lambda x: sum(map(abs, x)), lambda x, k: float(x > 0) - float(x < 0)),
              "SUMSQ": (lambda x: sum(value * value for value in x), lambda x, k: 2 * x)}


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("axis", [None, 0, 1, 2, -1, -3])
@pytest.mark.parametrize("factor", [None, -0.5])
def test_reduction(operation, axis, factor):
    x = RNG.normal(size=(2, 3, 4))
    x[0, 0, 0] = 0
    options = f"operation: {operation} " + (f"axis: {axis} " if axis is not None else "")
    options += f"coeff: {factor}" if factor is not None else ""
    alone = build("Reduction", [x], f"reduction_param {{ {options} }}")
    (y,) = alone.forward()
    total, slope = OPERATIONS[operation]
    kept = x.shape[:(axis or 0) % 3]
    assert y.shape == kept
    for place in np.ndindex(kept):
        assert y[place] == pytest.approx((factor or 1) * total(x[place].ravel().tolist()))
    dy = RNG.normal(size=kept)
    (dx,) = alone.backward([dy], [True])
    for place in np.ndindex(x.shape):
        count = math.prod(x.shape[len(kept):])
        assert dx[place] == pytest.approx((factor or 1) * dy[place[:len(kept)]] * slope(x[place], count))


# losses


def pair_loss(a, b, alike, margin, legacy):
    """Loss and gradients of a, pair by pair; the weight is 1."""
    total, slopes = 0.0, []
    for p, q, same in zip(a.tolist(), b.tolist(), alike):
        d = math.dist(p, q)
        factor = 1.0
        if int(same):
            total += d * d
        elif legacy:
            total, factor = total + max(0, margin - d * d), -float(d * d < margin)
        else:
            total, factor = total + max(0, margin - d) ** 2, -max(0, margin - d) / (d + 1e-4)
        slopes.append([factor * (x - y) / len(a) for x, y in zip(p, q)])
    return total / (2 * len(a)), np.array(slopes)


@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.parametrize(("margin", "shape"), [(None, (6, 4)), (3, (6, 4, 1, 1)), (5, (6, 1)), (2.5, (6,))])
def test_contrastive_loss(margin, shape, legacy):
    a, b = RNG.normal(size=(2, *shape))
    alike = [1, 0, 0.9, -3, 0, 2]
    options = f"loss_weight: 0.5 contrastive_loss_param {{ legacy_version: {str(legacy).lower()} "
    options += f"margin: {margin} }}" if margin else "}"
    alone = build("ContrastiveLoss", [a, b, np.reshape(alike, (6, 1, 1, 1))], options)
    (loss,) = alone.forward()
    want, slopes = pair_loss(a.reshape(6, -1), b.reshape(6, -1), alike, margin or 1, legacy)
    assert loss == pytest.approx(want)
    da, db, _ = alone.backward([np.array(0.5)], [True, True, False])
    np.testing.assert_allclose(da.reshape(6, -1), 0.5 * slopes, atol=1e-15)
    np.testing.assert_allclose(db, -da)


def test_contrastive_loss_of_one_point():
    alone = build("ContrastiveLoss", [[[1.0, 2.0]], [[1.0, 2.0]], [0]])
    assert alone.forward()[0] == 0.5
    assert not alone.backward([np.array(1.0)], [True, True, False])[0].any()


@pytest.mark.parametrize(("norm", "power"), [("", 1), ("norm: L1", 1), ("norm: L2", 2)])
@pytest.mark.parametrize("shape", [(3, 4), (3, 2, 2)])
def test_hinge_loss(norm, power, shape):
    x = RNG.normal(0, 2, shape)
    options = f"loss_weight: 0.5 loss_param {{ ignore_label: 3 normalization: NONE }} hinge_loss_param {{ {norm} }}"
    alone = build("HingeLoss", [x, np.reshape([0, 3, 2], (3, 1, 1, 1))], options)
    (loss,) = alone.forward()
    total, slopes = 0.0, []
    for row, label in zip(x.reshape(3, 4), [0, 3, 2]):
        for k, score in enumerate(row):
            sign = 1 if k == label else -1
            miss = max(0, 1 - sign * score)
            total += miss ** power
            slopes.append(-sign * power * miss ** (power - 1) * (miss > 0) * 0.5 / 3)
    assert loss == pytest.approx(total / 3)  # loss_param counts for nothing
    dx, _ = alone.backward([np.array(0.5)], [True, False])
    np.testing.assert_allclose(dx.ravel(), slopes)


def test_multinomial_logistic_loss():
    p = RNG.dirichlet(np.ones(4), 3)
    p[2] = [1, 0, 0, 0]
    alone = build("MultinomialLogisticLoss", [p.reshape(3, 2, 2), np.reshape(LABELS, (3, 1))], "loss_weight: 0.5")
    assert alone.forward()[0] == pytest.approx(-(math.log(p[0, 0]) + math.log(p[1, 3]) + math.log(1e-20)) / 3)
    dx = alone.backward([np.array(0.5)], [True, False])[0].reshape(3, 4)
    want = np.zeros((3, 4))
    want[0, 0], want[1, 3], want[2, 1] = (-0.5 / 3 / value for value in (p[0, 0], p[1, 3], 1e-20))
    np.testing.assert_allclose(dx, want)


def infogain(x, labels, matrix, axis, mode, ignore):
    """Loss and gradient for weight 1, place by place, through the derivative of log_softmax."""
    scores = np.moveaxis(x, axis, -1)
    total, counted, slope = 0.0, 0, np.zeros(scores.shape)
    for place, label in zip(np.ndindex(scores.shape[:-1]), np.ravel(labels)):
        if label != ignore:
            logs, counted = log_softmax(scores[place]), counted + 1
            for k, gain in enumerate(matrix[int(label)]):
                total -= gain * logs[k]
                slope[place] += gain * (np.exp(logs) - np.eye(len(logs))[k])
    batch = math.prod(x.shape[:axis % x.ndim])
    z = max(1, {"VALID": counted, "FULL": np.size(labels), "BATCH_SIZE": batch, "NONE": 1}[mode])
    return total / z, np.moveaxis(slope, -1, axis) / z


@pytest.mark.parametrize("mode", ["", "VALID", "FULL", "BATCH_SIZE", "NONE"])
@pytest.mark.parametrize("ignore", [None, 1, 7])
@pytest.mark.parametrize(("shape", "axis"), [((5, 4), 1), ((2, 4, 3, 2), 1), ((2, 3, 4), -1)])
def test_infogain_loss(shape, axis, mode, ignore, tmp_path):
    x, matrix = RNG.normal(size=shape), RNG.normal(size=(4, 4)).astype("f").astype(float)
    labels = RNG.integers(0, 4, [size for k, size in enumerate(shape) if k != axis % len(shape)]).astype(float)
    if ignore == 7:
        labels.flat[::2] = 7
    options = f"loss_weight: 0.5 loss_weight: 0 infogain_loss_param {{ axis: {axis} SOURCE }} loss_param {{ "
    options += f"normalization: {mode} " if mode else ""
    options += f"ignore_label: {ignore} }}" if ignore is not None else "}"
    want, slope = infogain(x, labels, matrix, axis, mode or "VALID", ignore)
    path = tmp_path / "h.binaryproto"
    write_blob(path, matrix.astype("f"))
    given = build("InfogainLoss", [x, labels, matrix.reshape(1, 1, 4, 4)], options.replace("SOURCE", ""), "loss p")
    read = build("InfogainLoss", [x, labels], options.replace("SOURCE", f'source: "{path}"'), "loss p")
    for alone in (given, read):
        loss, p = alone.forward()
        assert loss == pytest.approx(want)
        np.testing.assert_allclose(p, np.exp(log_softmax(x, axis=axis)))
        dx = alone.backward([np.array(0.5), p], [True] + [False] * (len(alone.bottom) - 1))[0]
        np.testing.assert_allclose(dx, 0.5 * slope, atol=1e-14)


def test_infogain_with_the_unit_matrix_is_softmax_loss():
    values = [RNG.normal(size=(3, 4, 2)), RNG.integers(0, 4, (3, 2))]
    ours, other = build("InfogainLoss", [*values, np.eye(4)]), build("SoftmaxWithLoss", values)
    assert ours.forward()[0] == pytest.approx(other.forward()[0])
    np.testing.assert_allclose(ours.backward([np.array(2.0)], [True, False, False])[0],
                               other.backward([np.array(2.0)], [True, False])[0], atol=1e-15)


def test_infogain_of_hopeless_probabilities():
    alone = build("InfogainLoss", [[[0.0, 1e4]], [0], np.eye(2)])
    assert alone.forward()[0] == pytest.approx(-math.log(1e-20))
    np.testing.assert_array_equal(alone.backward([np.array(1.0)], [True, False, False])[0], [[-1, 1]])


@pytest.mark.parametrize(("options", "mode"), [
    ("", "BATCH_SIZE"), ("normalize: true", "VALID"), ("normalize: false", "BATCH_SIZE"),
    ("normalization: FULL", "FULL"), ("normalization: VALID", "VALID"), ("normalization: NONE", "NONE"),
    ("normalization: BATCH_SIZE", "BATCH_SIZE"), ("normalize: false normalization: FULL", "FULL")])
@pytest.mark.parametrize("ignore", [None, 0, 9])
@pytest.mark.parametrize("shape", [(4, 6), (2, 3, 2, 2), (5,)])
def test_sigmoid_cross_entropy_loss(shape, options, mode, ignore):
    x, targets = RNG.normal(0, 3, shape), RNG.choice([0.0, 0.4, 1.0, 2.0, -0.9], shape)
    options = f"{options} ignore_label: {ignore}" if ignore is not None else options
    alone = build("SigmoidCrossEntropyLoss", [x, targets.reshape(shape[0], -1)],
                  f"loss_weight: 0.5 loss_param {{ {options} }}")
    kept = np.array([int(target) != ignore for target in targets.flat]).reshape(shape)
    z = max(1, {"VALID": kept.sum(), "FULL": x.size, "BATCH_SIZE": shape[0], "NONE": 1}[mode])
    want = -(targets * log_expit(x) + (1 - targets) * log_expit(-x))[kept].sum() / z
    assert alone.forward()[0] == pytest.approx(want)
    dx = alone.backward([np.array(0.5)], [True, False])[0]
    np.testing.assert_allclose(dx, kept * (np.exp(log_expit(x)) - targets) * 0.5 / z, atol=1e-15)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_sigmoid_cross_entropy_of_large_scores(dtype):
    alone = build("SigmoidCrossEntropyLoss", [[[1e4, -1e4, 1e4, -1e4]], [[1, 0, 0, 1]]], dtype=dtype)
    assert alone.forward()[0] == 2e4
    np.testing.assert_array_equal(alone.backward([np.array(1.0)], [True, False])[0], [[0, 0, 1, -1]])


# What is refused

ONES = np.ones((2, 3))
REFUSED = [  # type, bottoms, options, tops, error, parts of the message
    ("BatchReindex", [ONES, [[0, 1]]], "", "y", ShapeError, "expected indices of one axis (M,), got (1, 2)"),
    ("BatchReindex", [1.0, [0]], "", "y", ShapeError, "expected rows to choose from got ()"),
    ("Crop", [X, X], "crop_param { axis: 4 }", "y", ShapeError, "an axis in [-4, 4) got axis 4"),
    ("Crop", [X, X], "crop_param { axis: 1 offset: 0 offset: 0 }", "y", NetError,
     "offset once or 3 times, for the axes of (2, 3, 4, 5) from 1 on, got 2 times"),
    ("Crop", [X, ONES], "", "y", ShapeError, "bottom 1 'x1' expected at least 4 axes, got (2, 3)"),
    ("Crop", [X, X], "crop_param { axis: 3 offset: 1 }", "y", ShapeError,
     "axis 3 is too short, expected at least 5 after the offset 1, got (2, 3, 4, 5); 'x1' is (2, 3, 4, 5)"),
    ("Filter", [ONES, [1, 1]], "", "y z", NetError, "a top for every bottom but the selector (1), got 2"),
    ("Filter", [ONES, ONES, [1, 1]], "", "y", NetError, "a top for every bottom but the selector (2), got 1"),
    ("Filter", [ONES, ONES], "", "y", ShapeError, "selector 'x1' expected one number a row, (N,), got (2, 3)"),
    ("Filter", [ONES, 1.0], "", "y", ShapeError, "selector 'x1' expected one number a row got ()"),
    ("Filter", [X, np.ones((3, 2)), [1, 0]], "", "y z", ShapeError, "bottom 1 'x1' expected 2 rows got (3, 2)"),
    ("Tile", [X], "", "y", NetError, "expected tiles of at least 1, got none"),
    ("Tile", [X], "tile_param { tiles: 0 }", "y", NetError, "expected tiles of at least 1, got 0"),
    ("Tile", [X], "tile_param { tiles: -2 }", "y", NetError, "expected tiles of at least 1, got -2"),
    ("Tile", [X], "tile_param { tiles: 2 axis: -5 }", "y", ShapeError, "got axis -5"),
    ("Reshape", [X], "reshape_param { shape { dim: -1 dim: -1 } }", "y", NetError, "-1 once got [-1, -1]"),
    ("Reshape", [X], "reshape_param { shape { dim: -2 } }", "y", NetError, "expected shape of sizes got [-2]"),
    ("Reshape", [X], "reshape_param { num_axes: -2 }", "y", NetError, "num_axes of 0 or more, or -1 for all, got -2"),
    ("Reshape", [X], "reshape_param { axis: 5 }", "y", ShapeError, "an axis in [-5, 4] got axis 5"),
    ("Reshape", [X], "reshape_param { axis: -6 }", "y", ShapeError, "an axis in [-5, 4] got axis -6"),
    ("Reshape", [X], "reshape_param { axis: 3 num_axes: 2 }", "y", ShapeError,
     "expected at most 1 num_axes from axis 3 of (2, 3, 4, 5), got 2"),
    ("Reshape", [X], "reshape_param { shape { dim: 120 dim: 1 dim: 1 dim: 1 dim: 0 } }", "y", ShapeError,
     "dim 4 is 0, to copy axis 4, expected a bottom with that axis, got (2, 3, 4, 5)"),
    ("Reshape", [X], "reshape_param { shape { dim: -1 dim: 7 } }", "y", ShapeError,
     "shared out over [-1, 7] in place of axes 0 to 3, got (2, 3, 4, 5)"),
    ("Reshape", [X], "reshape_param { shape { dim: -1 dim: 2 } axis: -2 }", "y", ShapeError,
     "shared out over [-1, 2] in place of axes 3 to 3, got (2, 3, 4, 5)"),
    ("Reshape", [X], "reshape_param { shape { dim: 2 dim: 61 } }", "y", ShapeError,
     "as many elements as the bottom (2, 3, 4, 5) has, 120, got 122 in (2, 61)"),
    ("Reshape", [X], "reshape_param { shape { dim: -1 } }", "x0", NetError, "cannot work in place"),
    ("ArgMax", [ONES], "argmax_param { top_k: 0 }", "y", NetError, "expected top_k of at least 1, got 0"),
    ("ArgMax", [ONES], "argmax_param { top_k: 4 }", "y", ShapeError, "top_k at most the 3 values of (2, 3) got 4"),
    ("ArgMax", [ONES], "argmax_param { top_k: 3 axis: 0 }", "y", ShapeError, "top_k at most the 2 values got 3"),
    ("ArgMax", [ONES], "argmax_param { axis: 2 }", "y", ShapeError, "got axis 2"),
    ("Reduction", [ONES], "reduction_param { axis: 2 }", "y", ShapeError, "got axis 2"),
    ("ContrastiveLoss", [ONES, np.ones((2, 4)), [0, 1]], "", "y", ShapeError,
     "a and b of one shape (N, C) got (2, 3) and (2, 4); put a Flatten"),
    ("ContrastiveLoss", [X, X, [0, 1]], "", "y", ShapeError, "further axes of size 1, got"),
    ("ContrastiveLoss", [ONES, np.ones((3, 3)), [0, 1]], "", "y", ShapeError, "rows in both got (2, 3) and (3, 3)"),
    ("ContrastiveLoss", [ONES, ONES, [0, 1, 1]], "", "y", ShapeError,
     "similarity 'x2' expected one number a pair, (2,), got (3,)"),
    ("ContrastiveLoss", [ONES, ONES, ONES], "", "y", ShapeError, "expected one number a pair, (2,), got (2, 3)"),
    ("ContrastiveLoss", [ONES, ONES], "", "y", NetError, "expected 3 bottom blobs, got 2"),
    ("HingeLoss", [ONES, [0, 1, 2]], "", "y", ShapeError, "rows in both got (2, 3) and (3,)"),
    ("HingeLoss", [ONES, ONES], "", "y", ShapeError, "expected 2 labels for the rows got 6 a one-hot row is no label"),
    ("MultinomialLogisticLoss", [ONES, ONES], "", "y", ShapeError, "expected 2 labels for the rows got 6"),
    ("InfogainLoss", [ONES, [0, 1]], "", "y", NetError, "a third bottom or in infogain_loss_param.source, got neither"),
    ("InfogainLoss", [ONES, [0, 1], np.ones((2, 3))], "", "y", ShapeError,
     "matrix 'x2' expected 3 x 3 elements, got (2, 3)"),
    ("InfogainLoss", [X, X[:, 0], np.ones((3, 3))], "infogain_loss_param { axis: 2 }", "y", ShapeError,
     "expected 30 labels for scores (2, 3, 4, 5) with classes on axis 2, got 40"),
    ("InfogainLoss", [ONES, [0, 1], np.ones((3, 3))], "loss_param { normalize: true }", "y", NetError,
     "does not take loss_param.normalize; write normalization: VALID for true"),
    ("InfogainLoss", [ONES, [0, 1], np.ones((3, 3))], "loss_weight: 1", "y p", NetError, "one a top (2), got 1"),
    ("SigmoidCrossEntropyLoss", [ONES, np.ones((2, 4))], "", "y", ShapeError,
     "a target (N, ...) for every score (N, ...), got (2, 4) for (2, 3)"),
    ("SigmoidCrossEntropyLoss", [ONES, ONES], "", "y p", NetError, "expected 1 top blob, got 2"),
]


@pytest.mark.parametrize(("kind", "values", "options", "tops", "error", "parts"), REFUSED)
def test_refused(kind, values, options, tops, error, parts):
    with pytest.raises(error) as caught:
        build(kind, values, options, tops)
    message = str(caught.value)
    assert message.startswith(f"layer 'it' ({kind}): ")
    position = 0
    for part in parts.split():  # the words in this order, others may stand between
        position = message.index(part, position) + len(part)


@pytest.mark.parametrize("label", [-1, 4, 255])
@pytest.mark.parametrize(("kind", "more"), [("HingeLoss", []), ("MultinomialLogisticLoss", []),
                                            ("InfogainLoss", [np.eye(4)])])
def test_labels_outside_the_classes(kind, more, label):
    alone = build(kind, [SCORES, [0, 1, label], *more])
    with pytest.raises(DataError, match=rf"'it' \({kind}\): expected labels in 0 ... 3, got {label}; num_output"):
        alone.forward()


def test_a_matrix_that_is_not_there(tmp_path):
    with pytest.raises(DataError, match="h.binaryproto"):
        build("InfogainLoss", [SCORES, LABELS], f'infogain_loss_param {{ source: "{tmp_path}/h.binaryproto" }}')


def test_a_matrix_of_other_classes(tmp_path):
    write_blob(tmp_path / "h.binaryproto", np.eye(3, dtype="f"))
    with pytest.raises(ShapeError, match=r"h.binaryproto', expected 4 x 4 elements, got \(3, 3\)"):
        build("InfogainLoss", [SCORES, LABELS], f'infogain_loss_param {{ source: "{tmp_path}/h.binaryproto" }}')


@pytest.mark.parametrize(("kind", "values", "asked", "wish"), [
    ("SoftmaxWithLoss", [SCORES, LABELS], 1, "propagate_down: true propagate_down: false"),
    ("HingeLoss", [SCORES, LABELS], 1, "propagate_down: true propagate_down: false"),
    ("MultinomialLogisticLoss", [SCORES, LABELS], 1, "propagate_down: true propagate_down: false"),
    ("SigmoidCrossEntropyLoss", [SCORES, SCORES], 1, "propagate_down: true propagate_down: false"),
    ("InfogainLoss", [SCORES, LABELS, np.eye(4)], 2, "true propagate_down: false propagate_down: false"),
    ("CenterLoss", [SCORES, LABELS], 1, "propagate_down: true propagate_down: false"),
    ("HashingLoss", [SCORES, LABELS], 1, "propagate_down: true propagate_down: false"),
    ("PairwiseLoss", [SCORES, LABELS], 1, "propagate_down: true propagate_down: false"),
    ("PairwiseLoss", [SCORES, SCORES, SCORES, SCORES], 3, "true propagate_down: false propagate_down: true "
     "propagate_down: false"),
    ("PairwiseLabelLoss", [SCORES, LABELS], 1, "propagate_down: true propagate_down: false"),
    ("ScatterLoss", [SCORES, LABELS], 1, "propagate_down: true propagate_down: false"),
    ("BatchTripletLoss", [SCORES, LABELS], 1, "propagate_down: true propagate_down: false"),
    ("LiftedStructSimilaritySoftmaxLoss", [SCORES, LABELS], 1, "propagate_down: true propagate_down: false"),
    ("PairwiseHashingLoss", [SCORES, SCORES, LABELS], 2, "true propagate_down: true propagate_down: false"),
    ("BatchReindex", [SCORES, [0, 1]], 1, "propagate_down: true propagate_down: false"),
    ("Filter", [SCORES, [0, 1, 1]], 1, "propagate_down: true propagate_down: false")])
def test_labels_and_indices_have_no_gradient(kind, values, asked, wish):
    options = {"CenterLoss": "center_loss_param { num_output: 4 }",
               "PairwiseLoss": "pairwise_param { weighted: true }" if len(values) == 2 else "",
               "HashingLoss": "hashing_loss_param { bi_margin: 8 }",
               "PairwiseHashingLoss": "hashing_loss_param { bi_margin: 8 }"}.get(kind, "")
    alone = build(kind, values, options, "y accuracy" if kind == "BatchTripletLoss" else "y")
    tops = alone.forward()
    with pytest.raises(NetError, match=rf"layer 'it' \({kind}\): has no gradient .*{wish}"):
        alone.backward(tops, [i in (0, asked) for i in range(len(values))])


def test_contrastive_loss_passes_over_a_similarity_that_learns():
    alone = build("ContrastiveLoss", [SCORES, 0 * SCORES, LABELS])
    loss = alone.forward()
    gradients = [alone.backward(loss, [True, True, last]) for last in (False, True)]
    for without, asked in zip(*(each[:2] for each in gradients)):
        np.testing.assert_array_equal(without, asked)
    assert gradients[0][0].any()


@pytest.mark.parametrize(("kind", "count"), [("HingeLoss", 2), ("MultinomialLogisticLoss", 2), ("ContrastiveLoss", 3),
                                             ("SigmoidCrossEntropyLoss", 2), ("EuclideanLoss", 2)])
def test_five_axes_and_none(kind, count):
    shape = (2, 3, 1, 1, 1)
    labels = [0, 1] if kind in ("HingeLoss", "MultinomialLogisticLoss", "ContrastiveLoss") else np.ones(shape)
    values = [np.ones(shape)] * (count - 1) + [labels]
    alone = build(kind, values)
    assert np.isfinite(alone.forward()[0])
    assert np.isfinite(alone.backward([np.array(1.0)], [True] + [False] * (count - 1))[0]).all()
    with pytest.raises(ShapeError, match=rf"\({kind}\): expected .*, got \(\)"):
        build(kind, [1.0] * count)
