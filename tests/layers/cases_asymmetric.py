"""Rows of the loss of asymmetric pairs."""

import numpy as np
from layer_rows import row

QUERIES, BASE = np.array([0, 2, 1]), np.array([2, 0, 0, 1, 3])
CODES = np.where(np.random.default_rng(3).normal(size=(5, 4)) > 0, 1.0, -1.0)
COLUMNS = np.array([[1, 0, 0], [0, 1, 1], [0, 0, 0]]), np.array([[1, 1, 0], [0, 0, 1], [0, 0, 0], [1, 1, 1], [0, 1, 0]])
BALANCED = "asymmetric_pair_param { balanced: true }"

CASES = {
    "AsymmetricPairLoss": row("AsymmetricPairLoss", [(3, 4), QUERIES, CODES, BASE], "loss_weight: 0.7"),
    "AsymmetricPairLoss balanced": row("AsymmetricPairLoss", [(3, 2, 2), QUERIES, CODES, BASE], BALANCED),
    "AsymmetricPairLoss columns": row("AsymmetricPairLoss", [(3, 4), COLUMNS[0], CODES, COLUMNS[1]], BALANCED),
    "AsymmetricPairLoss all alike": row("AsymmetricPairLoss", [(3, 4), np.ones(3), CODES, np.ones(5)], BALANCED),
}
