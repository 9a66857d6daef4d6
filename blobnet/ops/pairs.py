"""All pairs of a batch at once: squared distances, similarity, weights, gradient; and the pull to -1 or +1."""

from __future__ import annotations

from blobnet.backend import array_module
from blobnet.ops.classes import class_numbers


def squared_distances(u):
    """(N, N) array of ||u_i - u_j||^2 for the rows of u (N, K), in float64, never negative."""
    xp = array_module(u)
    u = u.astype(xp.float64)
    norms = xp.square(u).sum(axis=1)
    distances = norms[:, None] + norms[None, :] - 2 * (u @ u.T)
    return xp.maximum(distances, 0, out=distances)


def similar(labels, where: str, name: str):
    """(N, N) array of booleans: rows that share a label.

    labels (N, 1): class numbers, equal; DataError for others, as by `class_numbers`. labels (N, L): multi-label rows
    whose product is positive.
    """
    if labels.shape[1] == 1:
        classes = class_numbers(labels, where, name)[:, 0]
        return classes[:, None] == classes[None, :]
    return labels @ labels.T > 0


def pair_weights(alike, labels, times, shared):
    """(N, N) array: `times` if alike, else 1, and 0 on the diagonal.

    `shared`: also times labels in common / labels of either, and so that similar and other pairs have equal shares.
    """
    xp = array_module(alike)
    apart = ~xp.eye(len(alike), dtype=bool)
    weights = xp.where(alike, times, 1.0)
    if shared:
        if labels.shape[1] > 1:
            common, sizes = labels @ labels.T, labels.sum(axis=1)
            weights *= xp.where(alike, common / xp.maximum(sizes[:, None] + sizes - common, 1), 1)
        pairs, positive = apart.sum(), (alike & apart).sum()
        weights *= xp.where(alike, pairs / xp.maximum(positive, 1), pairs / xp.maximum(pairs - positive, 1))
    return weights * apart


def pull_gradient(signs, u):
    """Row i: sum over j of signs[i, j] * (u_i - u_j); signs (N, N) symmetric, u (N, K)."""
    return signs.sum(axis=1, keepdims=True) * u - signs @ u


def binary_slopes(u):
    """The slope of | |u| - 1 | at every element, -1 or +1; +1 where it has none, at -1, 0 and 1."""
    xp = array_module(u)
    return xp.where((u >= 1) | ((u <= 0) & (u >= -1)), 1, -1)
