"""Rows of the losses of metric learning and hashing forks, and of what goes with them."""

import numpy as np
from layer_rows import row

LABELS = np.array([0, 2, 1, 2, 0, 2])
SETS = np.array([[1, 0, 1], [0, 1, 0], [1, 1, 0], [0, 0, 1], [1, 1, 1], [0, 0, 0]])
RUNS = np.array([0, 0, 0, 1, 1, 2, 2, 0])
TWO_HOT = np.array([[1, 0, 1], [0, 1, 0], [1, 1, 0], [0, 0, 1]])
ACTIVATIONS = np.random.default_rng(8).uniform(0.02, 0.98, (4, 3))
WEIGHTS = np.random.default_rng(9).uniform(0.5, 2, (2, 4, 1))
EXACT = "published_gradient_param { gradient: EXACT }"
SPARE = {"mutation": "the second bottom gets a gradient that the derivative lacks"}
ADDS_UP = SPARE | {"reshape": "the published gradient is a sum over all forwards"}
THIRDS = {"reshape": "the rows come in thirds"}


def pairwise(values, options, **more):
    return row("PairwiseLoss", values, f"loss_weight: 0.7 pairwise_param {{ {options} }}", **more)


def triplet(kind, values, options, tops="y accuracy", **more):
    return row(kind, values, f"loss_weight: 0.7 triplet_loss_param {{ {options} }}", tops, **more)


def center(values, options):
    return row("CenterLoss", values, "loss_weight: 0.7 center_loss_param { num_output: 4 "
               f'center_filler {{ type: "gaussian" }} {options} }}')


def hinge(values, options, **more):
    return row("TripletRankingHingeLoss", values, f"loss_weight: 0.7 triplet_ranking_hinge_loss_param {{ {options} }}",
               **more)


def naive_euclidean(x):
    a, b, c = x.reshape(3, 3, 4)
    return margin_loss(-((a - b) ** 2).sum(axis=1) / 2, -((a - c) ** 2).sum(axis=1) / 2, 2)


def naive_dot_product(x):
    a, b, c = x.reshape(3, 4, 3)
    return margin_loss((a * b).sum(axis=1), (a * c).sum(axis=1), 3)


def margin_loss(near, far, margin):
    return np.maximum(0, margin - near + far).mean(), np.mean(near > far)


CASES = {
    "ScaleTanH": row("ScaleTanH", [(2, 3, 4)]),
    "ScaleTanH steps": row("ScaleTanH", [(2, 3, 4)], "scale_tanh_param { init_scale: 0.8 step_size: 2 gamma: 0.5 "
                           "power: 0.5 }"),
    "L2Norm": row("L2Norm", [(3, 2, 2)]),
    "RankAccuracy": row("RankAccuracy", [(5, 1, 1, 1)] * 2, expected=lambda p, q: np.mean(p > q)),
    "K1_EuclideanLoss": row("K1_EuclideanLoss", [(4, 3)] * 2, EXACT),
    "K1_EuclideanLoss published": row("K1_EuclideanLoss", [(4, 3)] * 2, "loss_weight: 0.7", exceptions=SPARE),
    "K2_EuclideanLoss": row("K2_EuclideanLoss", [(4, 3)] * 2, EXACT),
    "K2_EuclideanLoss published": row("K2_EuclideanLoss", [(4, 1), (4,)], "loss_weight: 0.7", exceptions=SPARE),
    "EvenDistLoss": row("EvenDistLoss", [ACTIVATIONS] * 2, exceptions={"mutation": "the derivative is 0"},
                        expected=lambda h, spare: (((h > 0.5).mean(axis=0) - 0.5) ** 2).sum() / 8),
    "MinQuantizeLoss": row("MinQuantizeLoss", [ACTIVATIONS] * 2, "loss_weight: 0.7 " + EXACT),
    "MinQuantizeLoss published": row("MinQuantizeLoss", [ACTIVATIONS] * 2, exceptions=ADDS_UP),
    "TransformLoss": row("TransformLoss", [(4, 3)] * 2 + [*WEIGHTS], "loss_weight: 0.7 " + EXACT),
    "TransformLoss published": row("TransformLoss", [(4, 3)] * 2 + [*WEIGHTS]),
    "QuantizationLoss": row("QuantizationLoss", [(4, 3)], "loss_weight: 0.7"),
    "QuantizationLoss threshold": row("QuantizationLoss", [(4, 3)], "quantization_param { threshold: 0.75 }"),
    "PairwiseLoss": pairwise([(6, 3), SETS], "gradient: EXACT l_threshold: 0.2 q_threshold: 0.8 q_gamma: 0.3"),
    "PairwiseLoss published": pairwise([(6, 3), SETS], "q_gamma: 0.3 l_threshold: 1"),
    "PairwiseLoss four": pairwise([(6, 3), SETS, (6, 3), SETS[::-1]], "gradient: EXACT sigmoid_param: 0.5 "
                                  "class_num: 3"),
    "PairwiseLoss four published": pairwise([(6, 3), SETS, (6, 3), SETS[::-1]], "sigmoid_param: 0.5 class_num: 3 "
                                            "continous_similarity: true"),
    "PairwiseLoss distances": pairwise([(5, 4), SETS[:5]], "threshold: 1.5 gradient: EXACT"),
    "PairwiseLoss distances published": pairwise([(5, 4), SETS[:5]], "threshold: 1.5"),
    "PairwiseLoss mean": pairwise([(6, 3), LABELS], "weighted: false sigmoid_param: 0.5 class_num: 3"),
    "PairwiseLoss weighted": pairwise([(6, 3), LABELS], "weighted: true"),
    "PairwiseLoss multi-label": pairwise([(4, 3), TWO_HOT], "weighted: true"),
    "TripletLoss": triplet("TripletLoss", [(5, 4)] * 3, "margin: 1", "y"),
    "TripletLoss weights": triplet("TripletLoss", [(4, 3, 1, 1)] * 3 + [WEIGHTS[0]], "margin: 2", "y"),
    "TripletRankingHingeLoss": hinge([(4, 3, 1, 1)] * 3, "dim: 3 margin: 2 gradient: EXACT"),
    "TripletRankingHingeLoss published": hinge([(4, 3)] * 3, "dim: 3", exceptions={
        "backward_writes_diffs": "the first bottom decides whether the others get a gradient"}),
    "NaiveTripletLoss": triplet("NaiveTripletLoss", [(9, 2, 2)], "margin: 2", exceptions=THIRDS,
                                expected=naive_euclidean),
    "NaiveTripletLoss dot product": triplet("NaiveTripletLoss", [(12, 3)], 'margin: 3 sim_type: "DotProductSimilarity" '
                                            "sample: true", exceptions=THIRDS, expected=naive_dot_product),
    "BatchTripletLoss": triplet("BatchTripletLoss", [(8, 3), RUNS], "margin: 3"),
    "BatchTripletLoss pairs": triplet("BatchTripletLoss", [(8, 3), RUNS], "margin: 5 mu: 0.3 sample: true",
                                      "y accuracy figures"),
    "LiftedStruct": row("LiftedStructSimilaritySoftmaxLoss", [(6, 3), LABELS], "loss_weight: 0.7"),
    "LiftedStruct margin": row("LiftedStructSimilaritySoftmaxLoss", [(4, 3), TWO_HOT],
                               "lifted_struct_sim_softmax_loss_param { margin: 3 }"),
    "CenterLoss": center([(6, 3, 2), LABELS], ""),
    "CenterLoss exact": center([(6, 1, 3), LABELS], "axis: 2 gradient: EXACT"),
}
