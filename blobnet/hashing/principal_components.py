"""Principal components: real-valued features in fewer dimensions."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from blobnet.backend import single_threaded_blas
from blobnet.errors import ShapeError

_ROWS = 1 << 12  # features taken to float64 at once


class PrincipalComponents(NamedTuple):
    """The directions in which features vary most: mean (K,), directions (K, D), variances (D,), largest first."""

    mean: np.ndarray
    directions: np.ndarray
    variances: np.ndarray

    def project(self, values: np.ndarray) -> np.ndarray:
        """Features (N, K) as (N, D) float32: (x - mean) . directions. ShapeError if their K is another."""
        values = np.asarray(values, np.float32)
        if values.ndim != 2 or values.shape[1] != len(self.mean):
            raise ShapeError("PrincipalComponents.project", expected=f"values (N, {len(self.mean)})",
                             got=f"shape {values.shape}")
        with single_threaded_blas():
            return (values - self.mean.astype(np.float32)) @ self.directions.astype(np.float32)


def principal_components(values: np.ndarray, dimensions: int, centre: bool = True) -> PrincipalComponents:
    """The first principal components of the features (N, K), from the eigenvectors of their covariance (over N - 1).

    Fit them on the base only: queries are not known when a database is made. Signs are chosen so that the largest
    entry of a direction is positive. With `centre` False 0 stands for the mean. ShapeError unless
    1 <= dimensions <= min(N - 1, K).
    Pearson, On Lines and Planes of Closest Fit to Systems of Points in Space, Philosophical Magazine, 1901.

    >>> found = principal_components(np.array([[0, 1], [2, 1], [4, 1]]), 1)
    >>> found.directions.ravel().tolist(), found.variances.tolist(), found.project(np.array([[3, 7]])).tolist()
    ([1.0, 0.0], [4.0], [[1.0]])
    """
    values = np.asarray(values)
    if values.ndim != 2 or not 1 <= dimensions <= min(len(values) - 1, values.shape[1]):
        raise ShapeError("principal_components", expected="values (N, K) and 1 <= dimensions <= min(N - 1, K)",
                         got=f"values {values.shape} and {dimensions} dimensions")
    mean = values.mean(axis=0, dtype=np.float64) if centre else np.zeros(values.shape[1])
    covariance = np.zeros((len(mean), len(mean)))
    with single_threaded_blas():
        for start in range(0, len(values), _ROWS):
            rows = values[start:start + _ROWS] - mean
            covariance += rows.T @ rows
        variances, directions = np.linalg.eigh(covariance / (len(values) - 1))  # the smallest first
    variances, directions = variances[:-dimensions - 1:-1], directions[:, :-dimensions - 1:-1]
    largest = np.abs(directions).argmax(axis=0)
    directions = directions * np.sign(directions[largest, np.arange(dimensions)])
    return PrincipalComponents(mean, directions, np.maximum(variances, 0))
