"""Rows of the hashing layers."""

import numpy as np
from layer_rows import row

LABELS = np.array([0, 2, 1, 2])
TWO_HOT = np.array([[1, 0, 1], [0, 1, 0], [1, 1, 0], [0, 0, 1]])

CASES = {
    "HashingLoss": row("HashingLoss", [(4, 5), LABELS],
                       "loss_weight: 0.7 hashing_loss_param { bi_margin: 10 tradeoff: 0.1 }"),
    "HashingLoss multi-label": row("HashingLoss", [(4, 5), TWO_HOT], "hashing_loss_param { bi_margin: 10 }"),
    "DotProductSimilarity": row("DotProductSimilarity", [(3, 4)] * 2),
    "DotProductSimilarity other axes": row("DotProductSimilarity", [(4, 6), (4, 2, 3)]),
    "EuclideanSimilarity": row("EuclideanSimilarity", [(3, 2, 2)] * 2),
    "EuclideanSimilarity other axes": row("EuclideanSimilarity", [(4, 3), (4, 3, 1, 1)]),
    "PairwiseRankingLoss": row("PairwiseRankingLoss", [(4, 1, 1, 1)] * 2, "loss_weight: 0.7"),
    "PairwiseRankingLoss sample": row("PairwiseRankingLoss", [(6,)] * 2, "triplet_loss_param { sample: true }"),
}
