"""Linear hash functions, the baselines of learned codes: random projections, principal components, ITQ."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from blobnet.backend import single_threaded_blas
from blobnet.hashing.discrete_codes import signs
from blobnet.hashing.principal_components import principal_components


@dataclass(frozen=True, eq=False)
class LinearCodes:
    """A hash function: bit k of x is the sign of (x - mean) . projection[:, k]; mean (D,), projection (D, K)."""

    mean: np.ndarray
    projection: np.ndarray

    def encode(self, data: np.ndarray) -> np.ndarray:
        """The real values (N, K) of data (N, D), whose signs are the bits."""
        with single_threaded_blas():
            return (data - self.mean) @ self.projection


def fit_lsh(data: np.ndarray, bits: int, seed: int = 0) -> LinearCodes:
    """Random projections, normally distributed, of centred data (N, D).

    Paper: Charikar, Similarity estimation techniques from rounding algorithms, STOC 2002, as locality sensitive
    hashing is compared with.
    """
    projection = np.random.default_rng(seed).normal(size=(data.shape[1], bits))
    return LinearCodes(data.mean(axis=0), projection.astype(data.dtype))


def fit_pcah(data: np.ndarray, bits: int, seed: int = 0) -> LinearCodes:
    """The first `bits` principal components of data (N, D); `seed` plays no part. ShapeError if D or N - 1 is less.

    Paper: Wang, Kumar and Chang, Semi-supervised hashing for scalable image retrieval, CVPR 2010, there as a baseline.
    """
    found = principal_components(data, bits)
    return LinearCodes(found.mean.astype(data.dtype), found.directions.astype(data.dtype))


def fit_itq(data: np.ndarray, bits: int, seed: int = 0, rounds: int = 50) -> LinearCodes:
    """Principal components of data (N, D), rotated so that they lie near the corners of the cube.

    Minimizes ||B - V R||^2 over codes B and rotations R in turn, from a random rotation: B = sgn(V R), and R from the
    singular vectors of B^T V. ShapeError if D or N - 1 is less than `bits`.
    Paper: Gong and Lazebnik, Iterative Quantization: A Procrustean Approach to Learning Binary Codes, CVPR 2011.
    """
    components = fit_pcah(data, bits)
    values = components.encode(data)
    with single_threaded_blas():
        rotation, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(bits, bits)))
        rotation = rotation.astype(data.dtype)
        for _ in range(rounds):
            left, _, right = np.linalg.svd(signs(values @ rotation).T @ values)
            rotation = (left @ right).T
        return LinearCodes(components.mean, components.projection @ rotation)


METHODS: dict[str, Callable[[np.ndarray, int, int], LinearCodes]] = {"lsh": fit_lsh, "pcah": fit_pcah, "itq": fit_itq}
