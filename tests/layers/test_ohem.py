"""The losses of box regression, of mining hard examples, and of classes with weights: numbers, and what is refused."""

import numpy as np
import pytest
from layer_rows import build

from blobnet.errors import BlobnetError

ONES = np.ones((3, 2))
KEEP = "box_annotator_ohem_param { roi_per_img: 2 }"

REFUSED = [  # type, bottoms, options, parts of the message
    ("SmoothL1Loss", [ONES] * 2, "smooth_l1_loss_param { sigma: 0 }", "expected sigma other than 0, got 0"),
    ("SmoothL1Loss", [ONES, np.ones((3, 1, 2))], "",
     "bottom 1 'x1' expected the shape of bottom 0, (3, 2), got (3, 1, 2)"),
    ("SmoothL1LossOHEM", [np.ones((2, 1, 1, 1, 1))] * 2, "",
     "expected at most four axes (N, C, H, W), got (2, 1, 1, 1,"),
    ("BoxAnnotatorOHEM", [np.ones((3, 5)), *np.ones((3, 3, 1))], "", "expected roi_per_img above 0, got 0; write"),
    ("BoxAnnotatorOHEM", [np.ones((3, 4)), *np.ones((3, 3, 1))], KEEP,
     "bottom 0 'x0' expected (R, 5, H, W) got (3, 4)"),
    ("BoxAnnotatorOHEM", [np.ones((3, 5)), ONES, *np.ones((2, 3, 1))], KEEP, "bottom 1 (3, 1, H, W) got (3, 2)"),
    ("L1Loss", [ONES, np.ones((3, 3))], "", "as many elements a row in both bottoms, got (3, 2) and (3, 3)"),
    ("SoftmaxWithLoss", [ONES, [0, 1, 0]], "loss_param { weight_by_label_freqs: true class_weighting: 0.5 }",
     "expected class_weighting once for each of 2 classes, as weight_by_label_freqs is true, got it 1 times"),
    ("SmoothL1Loss", [ONES] * 3 + [np.ones((2, 2))], "", "bottom 3 'x3' got (2, 2)"),
]


@pytest.mark.parametrize(("kind", "values", "options", "parts"), REFUSED)
def test_refused(kind, values, options, parts):
    with pytest.raises(BlobnetError) as caught:
        build(kind, values, options, "y v" if kind == "BoxAnnotatorOHEM" else "y")
    message, position = str(caught.value), 0
    assert message.startswith(f"layer 'it' ({kind}): ")
    for part in parts.split():  # the words in this order, others may stand between
        position = message.index(part, position) + len(part)


def test_weights_of_smooth_l1_get_no_gradient():
    alone = build("SmoothL1Loss", [ONES, 3 * ONES, ONES, 2 * ONES], "loss_weight: 1")
    assert alone.forward()[0] == 6
    diffs = alone.backward([np.array(1.0)], [True] * 4)
    assert [diff.ravel()[0] for diff in diffs] == [-2 / 3, 2 / 3, 0, 0]


@pytest.mark.parametrize(("labels", "loss"), [([0, 1, 2], 2 + 3), ([0, 2, 1], 2), ([2, 0, 1], 2), ([2, 2, 1], 0)])
def test_softmax_ohem_adds_up_the_first_numbers(labels, loss):
    probabilities = np.exp([[-2.0, -9], [-2.0, -3], [-9, -3.0]])
    scores = np.log(np.c_[probabilities, 1 - probabilities.sum(axis=1)])
    alone = build("SoftmaxWithLossOHEM", [scores, labels], "loss_weight: 1 loss_weight: 0 loss_weight: 0 loss_param { "
                  "ignore_label: 2 normalization: NONE }", "y p l")
    given, spare, losses = alone.forward()
    np.testing.assert_allclose(given, loss, atol=1e-12)
    np.testing.assert_allclose(losses, [{0: 2, 1: 3, 2: 0}[label] for label in labels], atol=1e-12)
    assert not spare.any()


def test_the_hardest_regions_of_every_image_are_kept():
    rois = np.c_[[1, 0, 0, 1, 0], np.zeros((5, 4))]
    alone = build("BoxAnnotatorOHEM", [rois, [5, 1, 3, 6, 3], [1, 2, 3, 4, 5], 2 * np.ones((5, 3))], KEEP, "y v")
    labels, weights = alone.forward()
    assert labels.shape == (5, 1, 1, 1)
    assert weights.shape == (5, 3, 1, 1)
    assert labels.ravel().tolist() == [1, -1, 3, 4, 5]
    assert weights[:, 2].ravel().tolist() == [2, 0, 2, 2, 2]
    assert not any(diff.any() for diff in alone.backward([labels, weights], [True] * 4))


@pytest.mark.parametrize(("options", "loss"), [
    ("", np.log(2) * 11 / 2), ("normalize: true", np.log(2) * 11 / 3), ("normalize: false", np.log(2) * 11 / 2),
    ("normalization: FULL", np.log(2) * 11 / 4), ("normalization: VALID", np.log(2) * 11 / 3)])
def test_weights_of_classes(options, loss):
    values, weights = [np.ones((2, 2, 2)), [[0, 1], [1, 7]]], "class_weighting: 1 class_weighting: 5"
    options = f"loss_param {{ ignore_label: 7 {options} {weights} "
    alone = build("SoftmaxWithLoss", values, options + "weight_by_label_freqs: true }")
    np.testing.assert_allclose(alone.forward(), [loss])


def test_class_weighting_alone_does_nothing():
    alone = build("SoftmaxWithLoss", [ONES, [0, 1, 0]], "loss_param { class_weighting: 7 }")
    np.testing.assert_allclose(alone.forward(), [np.log(2)])
