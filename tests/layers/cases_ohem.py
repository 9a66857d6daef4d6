"""Rows of the losses of box regression, of mining hard examples, and of classes with weights."""

import numpy as np
from layer_rows import row

RNG = np.random.default_rng(12)
WEIGHTS = RNG.uniform(0.2, 2, (2, 4, 3, 2))
SCORES, LABELS, MATRIX = (3, 4, 2), np.array([[0, 1], [3, 3], [2, 0]]), RNG.uniform(size=(4, 4))
ROIS = np.c_[[0, 1, 0, 0, 2, 1, 1, 0, 1], RNG.uniform(0, 50, (9, 4))]
LOSSES = RNG.integers(0, 4, 9), np.arange(1, 10), RNG.uniform(size=(9, 4))  # some equal
KEEP = "box_annotator_ohem_param { roi_per_img: 2 ignore_label: 255 }"
EXACT = "published_gradient_param { gradient: EXACT }"


def ohem(values, loss, options=""):
    return row("SmoothL1LossOHEM", values, f"loss_weight: 0.7 loss_weight: 0 loss_param {{ {loss} }} {options}", "y l")


def fixed(kind, values):
    return row(kind, values, "loss_param { normalization: PRE_FIXED pre_fixed_normalizer: 2.5 }")


def softmax(values, loss, tops, options=""):
    weights = "loss_weight: 0.7" + " loss_weight: 0" * (tops - 1)
    return row("SoftmaxWithLossOHEM", values, f"{weights} loss_param {{ {loss} }} {options}", "y p l"[:2 * tops])


def classes(values, loss):
    return row("SoftmaxWithLoss", values, f"loss_param {{ {loss} weight_by_label_freqs: true class_weighting: 0.3 "
               "class_weighting: 1.7 class_weighting: 0 class_weighting: 4.2 } loss_weight: 0.7")


CASES = {
    "SmoothL1Loss": row("SmoothL1Loss", [(4, 3, 2)] * 2, "loss_weight: 0.7"),
    "SmoothL1Loss no weight": row("SmoothL1Loss", [(4, 3), (4, 3, 1, 1)]),
    "SmoothL1Loss weights": row("SmoothL1Loss", [(4, 3, 2)] * 2 + [*WEIGHTS],
                                "loss_weight: 0.7 smooth_l1_loss_param { sigma: 1.5 }"),
    "SmoothL1LossOHEM": ohem([(4, 3, 2, 1)] * 2 + [*WEIGHTS[:1]], "", EXACT),
    "SmoothL1LossOHEM published": ohem([(4, 3, 2)] * 2 + [*WEIGHTS[:1]], "normalization: FULL"),
    "SmoothL1LossOHEM batch": ohem([(4, 3, 2)] * 2, "normalize: false"),
    "SmoothL1LossOHEM fixed": ohem([(4, 3)] * 2, "normalization: PRE_FIXED pre_fixed_normalizer: 2.5"),
    "SmoothL1LossOHEM one top": row("SmoothL1LossOHEM", [(4, 3)] * 2, "loss_param { normalization: NONE }"),
    "SoftmaxWithLossOHEM": softmax([SCORES, LABELS], "ignore_label: 3", 3, EXACT),
    "SoftmaxWithLossOHEM published": softmax([SCORES, LABELS], "ignore_label: 3 normalize: false", 2),
    "SoftmaxWithLossOHEM axis": softmax([(3, 2, 4), LABELS], "normalization: FULL", 3, "softmax_param { axis: -1 }"),
    "SoftmaxWithLossOHEM fixed": softmax([SCORES, LABELS], "normalization: PRE_FIXED pre_fixed_normalizer: 2.5", 2),
    "SoftmaxWithLossOHEM one top": row("SoftmaxWithLossOHEM", [SCORES, LABELS], "loss_param { normalization: NONE }"),
    "BoxAnnotatorOHEM": row("BoxAnnotatorOHEM", [ROIS[..., None, None], *LOSSES], KEEP, "y v"),
    "BoxAnnotatorOHEM maps": row("BoxAnnotatorOHEM", [np.moveaxis(ROIS.reshape(3, 1, 3, 5), 3, 1), *(
        values.reshape(3, -1, 1, 3) for values in LOSSES)], KEEP, "y v"),
    "L1Loss": row("L1Loss", [(4, 3, 2), (4, 6)], "loss_weight: 0.7"),
    "SoftmaxWithLoss classes": classes([SCORES, LABELS], "ignore_label: 3"),
    "SoftmaxWithLoss classes mean": classes([SCORES, LABELS], "normalize: true"),
    "SoftmaxWithLoss classes all": classes([(5, 4), [3, 1, 0, 1, 2]], "normalization: FULL"),
    "SoftmaxWithLoss fixed": fixed("SoftmaxWithLoss", [SCORES, LABELS]),
    "InfogainLoss fixed": fixed("InfogainLoss", [SCORES, LABELS, MATRIX]),
    "SigmoidCrossEntropyLoss fixed": fixed("SigmoidCrossEntropyLoss", [(4, 3), RNG.uniform(size=(4, 3))]),
    "SmoothL1Loss NONE": row("SmoothL1Loss", [(4, 3)] * 2, "loss_param { normalization: NONE } "
                             "smooth_l1_loss_param { sigma: -0.8 } loss_weight: 0.7"),
}
