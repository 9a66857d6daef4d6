"""Supervised discrete hashing: binary codes that a linear classifier reads, and a kernel that makes them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from blobnet.backend import single_threaded_blas
from blobnet.hashing.anchors import Anchors, KernelCodes, draw_anchors, squared_distances
from blobnet.hashing.discrete_codes import cyclic_descent, signs

CLASSIFIER = 1.0  # lambda: the decay of W
FIT = 1e-5        # nu: the weight of the kernel's fit
DECAY = 1e-2      # of P


def fit_sdh(data: np.ndarray, labels: np.ndarray, bits: int, seed: int = 0, anchors: int = 1000,
            rounds: int = 5) -> KernelCodes:
    """Learn from data (N, D) and its classes (N,); `seed` draws the anchors and the first codes.

    Minimizes ||Y - B W||^2 + lambda ||W||^2 + nu (||B - phi(X) P||^2 + 0.01 ||P||^2) over B in {-1, +1}^(N, K), W and P
    in turn, Y being 1 for an image's class and 0 for others; lambda 1, nu 1e-5. W and P are ridge regressions, B is
    improved by cyclic coordinate descent; the objective never rises. The kernel's width is the mean distance to the
    nearest anchor, and phi has a 1 at its end. DataError for more anchors than vectors.
    Paper: Shen, Shen, Liu and Shen, Supervised Discrete Hashing, CVPR 2015, algorithm 1 with the l2 loss.
    """
    chosen = draw_anchors(data, anchors, seed, "fit_sdh")
    distances = squared_distances(data, data[chosen])
    distances[chosen, np.arange(anchors)] = np.inf  # of an anchor from itself
    seen = Anchors(data[chosen], float(np.sqrt(distances.min(axis=1)).mean()), one=True)
    features, targets = seen.see(data).astype(np.float64), class_columns(labels)
    codes = signs(np.random.default_rng(seed).normal(size=(len(data), bits)))
    with single_threaded_blas():
        *_, (projection, _, _) = improve(features, targets, codes, rounds)
    return KernelCodes(seen, np.zeros(features.shape[1], data.dtype), projection.astype(data.dtype))


def improve(features: np.ndarray, targets: np.ndarray, codes: np.ndarray,
            rounds: int) -> Iterator[tuple[np.ndarray, np.ndarray, float]]:
    """Yield P (M, K), B (N, K) and the objective: for the first codes, then after each round."""
    root = np.linalg.cholesky(features.T @ features + DECAY * np.eye(features.shape[1]))
    for left in range(rounds, -1, -1):
        classifier = regression(codes, targets, CLASSIFIER)
        projection = np.linalg.solve(root.T, np.linalg.solve(root, features.T @ codes))
        yield projection, codes, objective(features, targets, codes, classifier, projection)
        if left:
            linear = targets @ classifier.T + FIT * (features @ projection)
            codes = cyclic_descent(codes, linear, classifier @ classifier.T)


def objective(features: np.ndarray, targets: np.ndarray, codes: np.ndarray, classifier: np.ndarray,
              projection: np.ndarray) -> float:
    """What is minimized."""
    fit = ((codes - features @ projection) ** 2).sum() + DECAY * (projection ** 2).sum()
    return float(((targets - codes @ classifier) ** 2).sum() + CLASSIFIER * (classifier ** 2).sum() + FIT * fit)


def regression(codes: np.ndarray, targets: np.ndarray, ridge: float) -> np.ndarray:
    """W (K, C) of the smallest ||Y - B W||^2 + ridge ||W||^2, for codes B (N, K) and targets Y (N, C)."""
    return np.linalg.solve(codes.T @ codes + ridge * np.eye(codes.shape[1]), codes.T @ targets)


def class_columns(labels: np.ndarray) -> np.ndarray:
    """Rows (N, C) with a 1 at the class of each label (N,)."""
    classes, places = np.unique(labels, return_inverse=True)
    return np.eye(len(classes))[places]
