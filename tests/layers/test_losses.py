"""SoftmaxWithLoss and EuclideanLoss against sums written out."""

import math

import numpy as np
import pytest
from layer_rows import build
from scipy.special import log_softmax

from blobnet.errors import DataError

RNG = np.random.default_rng(10)


def softmax_loss(x, labels, axis, mode, ignore, weight):
    """Loss and gradient, place by place."""
    scores = np.moveaxis(x, axis, -1)
    batch = math.prod(x.shape[:axis % x.ndim])
    total, counted, slope = 0.0, 0, np.zeros(scores.shape)
    for place in np.ndindex(scores.shape[:-1]):
        label = int(labels.reshape(scores.shape[:-1])[place])
        if label == ignore:
            continue
        log_p = log_softmax(scores[place])
        total, counted = total - log_p[label], counted + 1
        slope[place] = np.exp(log_p)
        slope[place][label] -= 1
    z = max(1, {"VALID": counted, "FULL": labels.size, "BATCH_SIZE": batch, "NONE": 1}[mode])
    return total / z, np.moveaxis(slope, -1, axis) * weight / z


@pytest.mark.parametrize("mode", ["", "VALID", "FULL", "BATCH_SIZE", "NONE"])
@pytest.mark.parametrize("ignore", [None, 1, 255])
@pytest.mark.parametrize(("shape", "axis"), [((6, 4), 1), ((2, 4, 3, 2), 1), ((2, 3, 4), -1), ((4, 5), 0)])
def test_softmax_with_loss(shape, axis, mode, ignore):
    x = 3 * RNG.normal(size=shape)
    label_shape = [size for i, size in enumerate(shape) if i != axis % len(shape)]
    if axis == 0:
        label_shape = [1] + label_shape
        shape, x, axis = (1, *shape), x[None], 1  # both bottoms have as many rows
    labels = RNG.integers(0, 4, label_shape)
    if ignore == 255:
        labels.flat[::3] = 255
    options = f"softmax_param {{ axis: {axis} }} loss_weight: 1.5 loss_weight: 0 loss_param {{ "
    options += f"normalization: {mode} " if mode else ""
    options += f"ignore_label: {ignore} }}" if ignore is not None else "}"
    alone = build("SoftmaxWithLoss", [x, labels], options, tops="loss p")
    loss, p = alone.forward()
    want, slope = softmax_loss(x, labels, axis, mode or "VALID", ignore, 1.5)
    assert loss == pytest.approx(want, rel=1e-12)
    assert loss.shape == ()
    np.testing.assert_allclose(np.log(p), log_softmax(x, axis=axis))
    (dx, _) = alone.backward([np.array(1.5), np.zeros(p.shape)], [True, False])
    np.testing.assert_allclose(dx, slope, atol=1e-14)


@pytest.mark.parametrize(("old", "new"), [
    ("normalize: true", "VALID"), ("normalize: false", "BATCH_SIZE"), ("normalize: false normalization: FULL", "FULL")])
def test_the_old_name_of_the_normalization(old, new):
    values = [RNG.normal(size=(3, 4, 2)), RNG.integers(0, 4, (3, 2))]
    losses = [build("SoftmaxWithLoss", values, f"loss_param {{ ignore_label: 0 {text} }}").forward()[0]
              for text in (old, f"normalization: {new}")]
    assert losses[0] == losses[1]


def test_all_labels_ignored():
    alone = build("SoftmaxWithLoss", [RNG.normal(size=(2, 3)), [9, 9]], "loss_param { ignore_label: 9 }")
    assert alone.forward()[0] == 0
    assert not alone.backward([np.array(1.0)], [True, False])[0].any()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_hopeless_probabilities(dtype):
    alone = build("SoftmaxWithLoss", [[[0.0, 1e4]], [0]], dtype=dtype)
    assert alone.forward()[0] == pytest.approx(-math.log(2.0 ** -126), rel=1e-6)  # the smallest normal float32
    np.testing.assert_array_equal(alone.backward([np.array(1.0)], [True, False])[0], [[-1, 1]])


@pytest.mark.parametrize("label", [-1, 3, 7])
def test_labels_outside_the_classes(label):
    alone = build("SoftmaxWithLoss", [np.eye(3), [0, label, 1]])
    with pytest.raises(DataError, match=rf"\(SoftmaxWithLoss\): expected labels in 0 ... 2, got {label}; num_output"):
        alone.forward()


def test_euclidean_loss():
    a, b = RNG.normal(size=(3, 2, 4)), RNG.normal(size=(3, 8))
    alone = build("EuclideanLoss", [a, b], "loss_weight: 0.5")
    want = sum((x - y) ** 2 for x, y in zip(a.ravel(), b.ravel())) / 6
    assert alone.forward()[0] == pytest.approx(want)
    da, db = alone.backward([np.array(0.5)], [True, True])
    assert (da.shape, db.shape) == (a.shape, b.shape)
    np.testing.assert_allclose(da.ravel(), 0.5 * (a.ravel() - b.ravel()) / 3)
    np.testing.assert_allclose(db.ravel(), -da.ravel())


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize(("kind", "labels", "more"), [
    ("SoftmaxWithLoss", [1, 9], []), ("InfogainLoss", [1, 9], [np.eye(3)]),
    ("SigmoidCrossEntropyLoss", [[1, 1, 1], [9, 9, 9]], [])])
def test_what_is_ignored_may_be_anything(kind, labels, more, bad):
    x = np.array([[1., 2, 3], [bad, 0, 0]])
    loss = build(kind, [x, np.array(labels, float), *more], "loss_param { ignore_label: 9 }")
    with np.errstate(all="ignore"):
        (value,) = loss.forward()
        dx = loss.backward([np.ones(())], [True, False, False][:2 + len(more)])[0]
    assert np.isfinite(value) and np.isfinite(dx[0]).all() and dx[0].any()
    assert dx[1].tolist() == [0, 0, 0]
