"""Rows of the layers of CSQ and GreedyHash."""

import numpy as np
from layer_rows import row

LABELS = np.array([0, 2, 1, 2, 0])
COLUMNS = np.array([[1, 0, 0], [0, 1, 1], [1, 1, 1], [0, 0, 0]])

CASES = {
    "HashCenter": row("HashCenter", [LABELS], "hash_center_param { num_classes: 3 bits: 4 }"),
    "HashCenter negatives": row("HashCenter", [LABELS.reshape(5, 1, 1)],
                                "hash_center_param { num_classes: 4 bits: 2 }"),
    "HashCenter drawn": row("HashCenter", [LABELS], "hash_center_param { num_classes: 3 bits: 5 seed: 2 }"),
    "HashCenter columns": row("HashCenter", [COLUMNS], "hash_center_param { num_classes: 3 bits: 8 seed: 3 }"),
    "StraightThroughSign": row("StraightThroughSign", [(2, 3, 4)],
                               exceptions={"mutation": "its derivative, which is checked, is 0"}),
    "QuantizationLoss power": row("QuantizationLoss", [(4, 3)], "loss_weight: 0.7 quantization_param { power: 3 }"),
}
