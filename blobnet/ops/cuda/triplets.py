"""All triplets of a batch on a GPU: every (i, j, k) is computed, as the host does not wait to learn which count."""

from __future__ import annotations

from blobnet.backend import Array, array_module


def triplet_likelihood(t: Array, alike: Array, margin: float, out: Array) -> tuple[Array, Array | int]:
    xp, n = array_module(t), len(t)
    near = alike & ~xp.eye(n, dtype=bool)
    counted = near[:, :, None] & ~alike[:, None, :]
    count = xp.maximum(counted.sum(), 1)
    gaps = (margin - t)[:, :, None] + t[:, None, :]
    small = xp.exp(-xp.abs(gaps))
    costs = xp.log1p(small) + xp.maximum(gaps, 0)
    out[...] = (costs * counted).sum() / count
    shares = xp.where(gaps > 0, 1, small) / (1 + small) * counted / count
    return (shares.sum(axis=1) - shares.sum(axis=2)).astype(t.dtype, copy=False), count
