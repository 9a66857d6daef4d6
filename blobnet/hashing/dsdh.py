"""Deep supervised discrete hashing: binary codes that are near a net's values and that a linear classifier can tell.

Paper: Li, Sun, He and Tan, Deep Supervised Discrete Hashing, NIPS 2017: the steps for W and B while the net is held.

The objective is, for labels Y (N, C) of 0 and 1, the values U (N, K) of the net, codes B (N, K) and weights W (K, C),

    J(B, W) = mu * ||Y - B W||^2 + nu * ||W||^2 + eta * ||B - U||^2

W is the ridge regression of the labels, in closed form; B is lowered by cyclic coordinate descent.
"""

from __future__ import annotations

import numpy as np

from blobnet.hashing.discrete_codes import cyclic_descent
from blobnet.hashing.supervised_codes import class_columns, regression


def improve_codes(codes: np.ndarray, values: np.ndarray, labels: np.ndarray, mu: float = 1, nu: float = 0.1,
                  eta: float = 55, rounds: int = 10) -> tuple[np.ndarray, list[float]]:
    """The codes B (N, K), -1 and +1, of a smaller objective; and the objective after each step for W and for B.

    values (N, K): U; labels (N,) classes, or (N, C) columns of 0 and 1; `rounds` of both steps at most: it ends when no
    bit changes. mu and nu above 0; their numbers, and that of eta, are those of the authors' program.
    """
    targets = class_columns(labels) if labels.ndim == 1 else labels.astype(np.float64)
    codes, values, history = codes.astype(np.float64), values.astype(np.float64), []
    for _ in range(rounds):
        weights = regression(codes, targets, nu / mu)
        history.append(objective(codes, weights, values, targets, mu, nu, eta))
        better = cyclic_descent(codes, targets @ weights.T + eta / mu * values, weights @ weights.T)
        history.append(objective(better, weights, values, targets, mu, nu, eta))
        if np.array_equal(better, codes):
            break
        codes = better
    return codes, history


def objective(codes: np.ndarray, weights: np.ndarray, values: np.ndarray, targets: np.ndarray, mu: float,
              nu: float, eta: float) -> float:
    """J(B, W), as above."""
    return float(mu * ((targets - codes @ weights) ** 2).sum() + nu * (weights ** 2).sum()
                 + eta * ((codes - values) ** 2).sum())
