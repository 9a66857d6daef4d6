"""Accuracy against rankings counted one by one."""

import itertools

import numpy as np
import pytest
from layer_rows import build

from blobnet.errors import DataError

RNG = np.random.default_rng(9)


def reference(scores, labels, k, ignore=None):
    """Accuracy and accuracies by class; scores (M, C), labels (M,). A tie counts against the label."""
    hits, totals = np.zeros(scores.shape[1]), np.zeros(scores.shape[1])
    for row, label in zip(scores.tolist(), labels.astype(int).tolist()):
        if label == ignore:
            continue
        totals[label] += 1
        ahead = sum(score >= row[label] for other, score in enumerate(row) if other != label)
        hits[label] += ahead < k
    return hits.sum() / totals.sum() if totals.sum() else 0.0, [h / t if t else 0.0 for h, t in zip(hits, totals)]


@pytest.mark.parametrize(("k", "ignore", "ties"), [*itertools.product([1, 2, 4], [None, 2], [False, True])])
def test_top_k_and_classes(k, ignore, ties):
    scores = RNG.integers(0, 3, (40, 4)).astype(float) if ties else RNG.normal(size=(40, 4))
    labels = RNG.integers(0, 3, 40)  # class 3 has no example
    options = f"accuracy_param {{ top_k: {k} " + (f"ignore_label: {ignore}" if ignore is not None else "") + " }"
    total, each = build("Accuracy", [scores, labels], options, tops="y each").forward()
    want, want_each = reference(scores, labels, k, ignore)
    assert total == pytest.approx(want)
    np.testing.assert_allclose(each, want_each)
    assert total.shape == ()


@pytest.mark.parametrize(("shape", "axis"), [((2, 3, 4, 5), 1), ((2, 3, 4), -1), ((2, 3, 4), 0)])
def test_axis(shape, axis):
    scores = RNG.normal(size=shape)
    classes = shape[axis]
    labels = RNG.integers(0, classes, [size for i, size in enumerate(shape) if i != axis % len(shape)])
    (total,) = build("Accuracy", [scores, labels], f"accuracy_param {{ axis: {axis} }}").forward()
    assert total == pytest.approx((scores.argmax(axis=axis) == labels).mean())


@pytest.mark.parametrize("k", [1, 2])
def test_min_is_better_takes_the_nearest(k):
    distances, labels = RNG.normal(size=(40, 4)), RNG.integers(0, 4, 40)
    (total,) = build("Accuracy", [distances, labels], f"accuracy_param {{ min_is_better: true top_k: {k} }}").forward()
    nearest = [row.tolist().index(distance) for row in distances for distance in np.sort(row)[:k]]
    assert total == pytest.approx(sum(label == guess for label, guess in zip(labels.repeat(k), nearest)) / 40)


def test_all_ignored_is_0():
    assert build("Accuracy", [np.eye(3), [1, 1, 1]], "accuracy_param { ignore_label: 1 }").forward()[0] == 0


@pytest.mark.parametrize("label", [-1, 3, 255])
def test_labels_outside_the_classes(label):
    alone = build("Accuracy", [np.eye(3), [0, label, 1]])
    with pytest.raises(DataError, match=rf"layer 'it' \(Accuracy\): expected labels in 0 ... 2, got {label}"):
        alone.forward()
    alone = build("Accuracy", [np.eye(3), [0, label, 1]], f"accuracy_param {{ ignore_label: {label} }}")
    assert alone.forward()[0] == 0.5


def test_nan_scores_are_wrong():
    scores = np.array([[np.nan, np.nan], [0.0, 1.0]])
    assert build("Accuracy", [scores, np.array([0.0, 1.0])]).forward()[0] == 0.5
