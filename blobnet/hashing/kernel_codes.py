"""Supervised hashing with kernels: bits that agree with the classes, one after the other."""

from __future__ import annotations

import numpy as np

from blobnet.backend import single_threaded_blas
from blobnet.hashing.anchors import Anchors, KernelCodes, draw_anchors, same_class, squared_distances
from blobnet.hashing.discrete_codes import signs
from blobnet.solvers.quasi_newton import minimize

STEPS = 50      # of the smoothed objective
MEMORY = 10
RIDGE = 1e-3    # of the mean variance of phi, so that alike anchors do no harm


def fit_ksh(data: np.ndarray, labels: np.ndarray, bits: int, seed: int = 0, anchors: int = 300) -> KernelCodes:
    """Learn from data (N, D) and its classes (N,); `seed` draws the anchors. DataError for more anchors than vectors.

    With phi centred and S = 1 for pairs of a class, -1 for others, minimizes ||1/K sum_k h_k h_k^T - S||^2 over
    h_k = sgn(phi(X) w_k), one w_k after the other: with R = K S - sum of the earlier h h^T, the largest h^T R h. It
    starts at the w of the largest (phi w)^T R phi w for a fixed (phi w)^T phi w, and goes on by L-BFGS (in place of
    the paper's Nesterov steps) with s(z) = 2 / (1 + exp(-z)) - 1 for the sign; of both ends the better by signs is
    taken. The kernel's width is the root of half the mean squared distance to the anchors. S is never made.
    Paper: Liu, Wang, Ji, Jiang and Chang, Supervised Hashing with Kernels, CVPR 2012, section 3 and algorithm 1.
    """
    vectors = data[draw_anchors(data, anchors, seed, "fit_ksh")]
    seen = Anchors(vectors, float(np.sqrt(squared_distances(data, vectors).mean() / 2)))
    features = seen.see(data).astype(np.float64)
    mean = features.mean(axis=0)
    features -= mean
    earlier = np.zeros((len(data), 0))
    projection = np.zeros((features.shape[1], bits))
    with single_threaded_blas():
        whitening = _whitening(features)
        for k in range(bits):
            projection[:, k] = _next_bit(features, labels, earlier, bits, whitening)
            earlier = np.column_stack([earlier, signs(features @ projection[:, k])])
    return KernelCodes(seen, mean.astype(data.dtype), projection.astype(data.dtype))


def residue(labels: np.ndarray, earlier: np.ndarray, bits: int, values: np.ndarray) -> np.ndarray:
    """R values (N, J) of values (N, J), R = K S - H H^T for the bits H (N, k) that there are."""
    return bits * same_class(labels, values) - earlier @ (earlier.T @ values)


def _whitening(features: np.ndarray) -> np.ndarray:
    """T (M, M) of T^T (phi^T phi / N) T = 1, but for the ridge."""
    variances, directions = np.linalg.eigh(features.T @ features / len(features))
    return directions / np.sqrt(variances.clip(0) + RIDGE * variances.mean())


def _next_bit(features: np.ndarray, labels: np.ndarray, earlier: np.ndarray, bits: int,
              whitening: np.ndarray) -> np.ndarray:
    """The w (M,) of the next bit."""
    white = features @ whitening
    form = white.T @ residue(labels, earlier, bits, white)
    start = whitening @ np.linalg.eigh(form + form.T)[1][:, -1]

    def smooth(weights: np.ndarray) -> tuple[float, np.ndarray]:
        values = np.tanh(features @ weights / 2)[:, None]
        pulled = residue(labels, earlier, bits, values)
        scale = bits * len(features)  # so that the sum is of the size of N
        return -float((values * pulled).sum()) / scale, -features.T @ (pulled * (1 - values ** 2))[:, 0] / scale

    ends = start, minimize(smooth, start, STEPS, [], MEMORY, np.dtype(np.float64))

    def agreement(weights: np.ndarray) -> float:
        bit = signs(features @ weights)[:, None]
        return float((bit * residue(labels, earlier, bits, bit)).sum())

    return max(ends, key=agreement)
