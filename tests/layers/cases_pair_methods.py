"""Rows of the losses of pairs and triplets in deep supervised hashing: DTSH, IDHN, DBDH."""

import numpy as np
from layer_rows import row

LABELS = np.array([0, 2, 1, 2, 0])
SETS = np.array([[1, 0, 1], [0, 1, 0], [1, 1, 0], [1, 0, 1], [0, 0, 0], [1, 1, 1]])  # equal, apart, partly, none


def triplets(labels, options="", shape=(5, 4), **more):
    options = f"loss_weight: 0.7 triplet_likelihood_param {{ {options} }}"
    return row("TripletLikelihoodLoss", [shape, labels], options, **more)


def soft(labels, options="", shape=(6, 4), **more):
    options = f"loss_weight: 0.7 soft_pairwise_param {{ {options} }}"
    return row("SoftPairwiseLoss", [shape, labels], options, **more)


CASES = {
    "TripletLikelihoodLoss": triplets(LABELS),
    "TripletLikelihoodLoss margin": triplets(LABELS, "margin: 0.3"),
    "TripletLikelihoodLoss sets of labels": triplets(SETS, "margin: -0.5", (6, 2, 1, 2)),
    "TripletLikelihoodLoss no triplets": triplets(np.full((4, 1), 7), shape=(4, 3),
                                                   exceptions={"code_pairs": "no triplet pulls or pushes"}),
    "SoftPairwiseLoss": soft(SETS),
    "SoftPairwiseLoss scales": soft(SETS, "slope: 2 soft_weight: 0.7", (6, 2, 1, 2)),
    "SoftPairwiseLoss one class a row": soft(LABELS, shape=(5, 4)),
}
