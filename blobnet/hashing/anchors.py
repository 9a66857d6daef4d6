"""Vectors seen from some of them: a Gaussian kernel at anchors, for hash functions that are not linear."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from blobnet.backend import single_threaded_blas
from blobnet.errors import DataError

_ROWS = 1 << 12  # vectors that are seen at once


@dataclass(frozen=True, eq=False)
class Anchors:
    """The map phi(x) = exp(-||x - a||^2 / (2 width^2)) for every anchor a of vectors (M, D), then a 1 if `one`."""

    vectors: np.ndarray
    width: float
    one: bool = False

    def see(self, data: np.ndarray) -> np.ndarray:
        """phi (N, M) or (N, M + 1) of data (N, D), in its dtype."""
        seen = np.ones((len(data), len(self.vectors) + self.one), data.dtype)
        for start in range(0, len(data), _ROWS):
            rows = slice(start, start + _ROWS)
            distances = squared_distances(data[rows], self.vectors)
            seen[rows, :len(self.vectors)] = np.exp(distances / (-2 * self.width ** 2))
        return seen


@dataclass(frozen=True, eq=False)
class KernelCodes:
    """A hash function: bit k of x is the sign of (phi(x) - mean) . projection[:, k]; mean (M,), projection (M, K)."""

    anchors: Anchors
    mean: np.ndarray
    projection: np.ndarray

    def encode(self, data: np.ndarray) -> np.ndarray:
        """The real values (N, K) of data (N, D), whose signs are the bits."""
        with single_threaded_blas():
            return ((self.anchors.see(data) - self.mean) @ self.projection).astype(data.dtype)


def squared_distances(data: np.ndarray, others: np.ndarray) -> np.ndarray:
    """||x - y||^2 (N, M) of all rows x of data (N, D) and y of others (M, D)."""
    with single_threaded_blas():
        found = data @ (-2 * others.T)
    found += np.einsum("ij,ij->i", data, data)[:, None]
    found += np.einsum("ij,ij->i", others, others)
    return np.maximum(found, 0, out=found)


def draw_anchors(data: np.ndarray, count: int, seed: int, where: str) -> np.ndarray:
    """The numbers (M,) of `count` different rows of data (N, D), drawn by the seed; DataError if there are fewer."""
    if not 1 <= count <= len(data):
        raise DataError(where, expected=f"1 to {len(data)} anchors, the vectors that are learned from", got=count)
    return np.random.default_rng(seed).choice(len(data), count, replace=False)


def same_class(labels: np.ndarray, values: np.ndarray) -> np.ndarray:
    """S values (N, K), S (N, N) being 1 for vectors of one class (labels (N,)) and -1 for others, without making S."""
    classes = np.unique(labels, return_inverse=True)[1]
    sums = np.zeros((classes.max() + 1, values.shape[1]))
    np.add.at(sums, classes, values)
    return 2 * sums[classes] - sums.sum(axis=0)
