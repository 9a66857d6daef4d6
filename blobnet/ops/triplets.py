"""All triplets of a batch: an anchor i, a row j that is like it, and a row k that is not."""

from __future__ import annotations

import numpy as np

from blobnet.backend import Array, twin


@twin("blobnet.ops.cuda.triplets")
def triplet_likelihood(t: Array, alike: Array, margin: float, out: Array) -> tuple[Array, Array | int]:
    """out () = the mean of log(1 + exp(margin - t_ij + t_ik)) over all triplets, 0 without any.

    t (N, N): how close rows are; alike (N, N) of bool: j != i with alike[i, j] and k without alike[i, k] are triplets.
    Returns the derivative of that mean by t, (N, N), and the number of triplets, 1 where there are none.
    """
    i, j = np.nonzero(alike & ~np.eye(len(t), dtype=bool))
    far = ~alike[i]
    count = max(1, int(far.sum()))
    gaps = margin - t[i, j][:, None] + t[i]  # (pairs alike, N)
    small = np.exp(-np.abs(gaps))
    costs = np.log1p(small) + np.maximum(gaps, 0)
    out[...] = (costs * far).sum() / count
    shares = np.where(gaps > 0, 1, small) / (1 + small)  # the sigmoid of the gaps
    shares *= far / t.dtype.type(count)
    slopes = np.zeros_like(t)
    first = np.flatnonzero(np.diff(i, prepend=-1))  # where the pairs of each i begin
    slopes[i[first]] = np.add.reduceat(shares, first, axis=0)
    slopes[i, j] -= shares.sum(axis=1)
    return slopes, count
