"""Rows of the loss terms of binary deep neural networks and of deep hashing."""

import numpy as np
from layer_rows import row

LABELS = np.array([0, 2, 1, 2, 0])

CASES = {
    "BalanceLoss": row("BalanceLoss", [(5, 3)], "loss_weight: 0.7"),
    "BalanceLoss with axes": row("BalanceLoss", [(4, 3, 1, 1)]),
    "IndependenceLoss": row("IndependenceLoss", [(5, 3)], "loss_weight: 0.7"),
    "PairwiseLabelLoss": row("PairwiseLabelLoss", [(5, 3), LABELS], "loss_weight: 0.7"),
    "PairwiseLabelLoss one class": row("PairwiseLabelLoss", [(4, 3, 1, 1), np.full((4, 1), 7)]),
    "SignQuantizationLoss": row("SignQuantizationLoss", [(5, 3)], "loss_weight: 0.7"),
    "BitVarianceLoss": row("BitVarianceLoss", [(5, 3)], "loss_weight: 0.7"),
    "OrthogonalityLoss": row("OrthogonalityLoss", [(3, 5)], "loss_weight: 0.7"),
    "ScatterLoss": row("ScatterLoss", [(5, 3), LABELS], "loss_weight: 0.7"),
    "ScatterLoss one class": row("ScatterLoss", [(4, 3, 1, 1), np.full((4, 1), 7)]),
}
