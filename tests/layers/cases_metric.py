"""Rows of distances to classes, losses over them, products with a margin, and the Lstm of two forks."""

import numpy as np
from layer_rows import FILLERS, row

RNG = np.random.default_rng(11)
DISTANCES = RNG.uniform(0.05, 2.4, (6, 4))
LABELS = np.array([0, 2, 1, 3, 0, 1])
WEIGHTS = RNG.uniform(0.5, 2, 6)
RESCALES = {"forward_writes_tops": "the rows of the parameter are scaled for good, as published"}
STEPS = {"reshape": "there are batch_size rows a step"}
CLIP = np.array([0, 1, 1, 0, 2, 1])
MEANS = "loss_weight: 0.7 loss_weight: 0"


def contrastive(options="", tops="y", weight="loss_weight: 0.7", **more):
    return row("GeneralContrastiveLoss", [DISTANCES, LABELS], f"{weight} general_contrastive_loss_param "
               f"{{ negative_margin: 1.5 {options} }}", tops, **more)


def triplet(options="", tops="y", weight="loss_weight: 0.7", values=(DISTANCES, LABELS), **more):
    return row("GeneralTripletLoss", list(values), f"{weight} general_triplet_loss_param {{ margin: 0.6 {options} }}",
               tops, **more)


def distance(options="", values=((5, 2, 3),), **more):
    return row("InnerDistance", list(values), 'inner_distance_param { weight_filler { type: "gaussian" } '
               f"{options} }}", **more)


def margin(kind, options="", values=((6, 2, 3), LABELS)):
    return row("MarginInnerProduct", list(values), f"margin_inner_product_param {{ num_output: 4 type: {kind} "
               f'weight_filler {{ type: "gaussian" }} gradient: EXACT {options} }}', "y level", exceptions=RESCALES)


def lstm(values, options="", **more):
    return row("Lstm", values, f"lstm_param {{ num_output: 3 {FILLERS} {options} }}", **more)


CASES = {
    "GeneralContrastiveLoss": contrastive("gradient: EXACT"),
    "GeneralContrastiveLoss published": contrastive(
        "positive_margin: 0.3 positive_outlier_thresh: 1.2 normalize_negative: 0.3 positive_weight: 0.5"),
    "GeneralContrastiveLoss weights": contrastive(
        "positive_margin: 0.3 positive_outlier_thresh: 1.2 positive_weight: -2 negative_weight: -0.5", "y d", MEANS),
    "GeneralContrastiveLoss exp": contrastive("exp_negative_weight: true negative_weight: 2"),
    "GeneralContrastiveLoss largest": contrastive("max_negative_only: true", "y d", MEANS),
    "GeneralContrastiveLoss largest exp": contrastive("max_negative_only: true exp_negative_weight: true"),
    "GeneralContrastiveLoss one": contrastive("max_positive_only: true"),
    "GeneralContrastiveLoss first": contrastive("positive_first: true positive_upper_bound: 0.9"),
    "GeneralContrastiveLoss mean": contrastive("add_intra_mae: true", "y d", MEANS),
    "GeneralTripletLoss": triplet("gradient: EXACT"),
    "GeneralTripletLoss published": triplet("positive_weight: 2 negative_weight: 0.5", "y d", MEANS),
    "GeneralTripletLoss weights": triplet("add_center_loss: false", values=[DISTANCES, LABELS, WEIGHTS]),
    "GeneralTripletLoss hardest": triplet("hardest_only: true"),
    "GeneralTripletLoss first": triplet("positive_first: true positive_upper_bound: 1.2 negative_weight: -2"),
    "InnerDistance": distance("num_output: 4"),
    "InnerDistance L1": distance('num_output: 4 distance_type: "L1" gradient: EXACT'),
    "InnerDistance axis": distance('num_output: 4 axis: 2 transpose: true', [(2, 3, 4)]),
    "InnerDistance normalize": distance("num_output: 4 normalize: true gradient: EXACT", exceptions=RESCALES),
    "InnerDistance centres": distance("normalize: true", [(5, 2, 3), (4, 6)]),
    "InnerDistance labels": distance('update_center_only: true', [(6, 3), (4, 3), LABELS]),
    "MarginInnerProduct": margin("SINGLE", "gamma: 0.5"),
    "MarginInnerProduct double": margin("DOUBLE", "base: 0"),
    "MarginInnerProduct triple": margin("TRIPLE", "base: 3 gamma: 0.5 power: 2 iteration: 1"),
    "MarginInnerProduct quadruple": margin("QUADRUPLE", "lambda_min: 0.5 base: 0.1"),
    "MarginInnerProduct axis": margin("QUADRUPLE", "axis: 2", [(2, 3, 4), LABELS.reshape(2, 3)]),
    "Lstm": lstm([(5, 3)]),
    "Lstm batch": lstm([(8, 2, 2, 1)], "batch_size: 2", exceptions=STEPS),
    "Lstm three axes": lstm([(4, 2, 3)], "clipping_threshold: 0.05"),
    "Lstm clip": lstm([(6, 3), CLIP]),
    "Lstm clip batch": lstm([(6, 3), CLIP], "batch_size: 2", exceptions=STEPS),
}
