"""Spectral hashing: bits are the slowest waves along the principal components."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from blobnet.backend import single_threaded_blas
from blobnet.hashing.principal_components import principal_components


@dataclass(frozen=True, eq=False)
class SpectralCodes:
    """A hash function: bit k of x is the sign of cos(waves[k] . (y - start)), y the principal components of x.

    mean (D,), directions (D, P), start (P,) the least y that was learned from, waves (K, P), in each row 0 but for one
    component.
    """

    mean: np.ndarray
    directions: np.ndarray
    start: np.ndarray
    waves: np.ndarray

    def encode(self, data: np.ndarray) -> np.ndarray:
        """The real values (N, K), -1 to 1, of data (N, D), whose signs are the bits."""
        with single_threaded_blas():
            return np.cos(((data - self.mean) @ self.directions - self.start) @ self.waves.T)


def fit_spectral(data: np.ndarray, bits: int, seed: int = 0) -> SpectralCodes:
    """The eigenfunctions of least eigenvalue of boxes around the principal components of data (N, D).

    Of P = min(bits, D) components, each uniform on an interval of length L, the j-th eigenfunction is
    cos(j pi (y - start) / L), and its eigenvalue grows with j / L: the `bits` smallest over all components and
    j = 1, 2 … are taken. `seed` plays no part. ShapeError if N - 1 is less than P.
    Paper: Weiss, Torralba and Fergus, Spectral Hashing, NIPS 2008, section 3 (which adds pi / 2 and takes the sine).
    """
    found = principal_components(data, min(bits, data.shape[1]))
    with single_threaded_blas():
        values = (data - found.mean.astype(data.dtype)) @ found.directions.astype(data.dtype)
    start = values.min(axis=0)
    lengths = np.maximum(values.max(axis=0) - start, np.finfo(data.dtype).tiny).astype(np.float64)
    speeds = np.arange(1, bits + 1)[:, None] * np.pi / lengths  # (bits, P)
    slowest = np.argsort(speeds, axis=None, kind="stable")[:bits]
    waves = np.zeros((bits, len(lengths)))
    waves[np.arange(bits), slowest % len(lengths)] = speeds.ravel()[slowest]
    return SpectralCodes(found.mean.astype(data.dtype), found.directions.astype(data.dtype), start,
                         waves.astype(data.dtype))
