"""All pairs of a batch at once: squared distances, similarity, weights, gradient."""

from __future__ import annotations

import math

from blobnet.backend import Array, array_module, twin
from blobnet.ops.indices import class_numbers
from blobnet.ops.linear import matrix_product
from blobnet.ops.quantization import binary_slopes


@twin("blobnet.ops.cuda.pairs")
def squared_distances(u: Array) -> Array:
    """(N, N) array of ||u_i - u_j||^2 for the rows of u (N, K), in float64, never negative."""
    xp = array_module(u)
    u = u.astype(xp.float64)
    norms = xp.square(u).sum(axis=1)
    distances = norms[:, None] + norms[None, :] - 2 * (u @ u.T)
    return xp.maximum(distances, 0, out=distances)


def similar(labels: Array, where: str, name: str, others: Array | None = None, other_name: str = "") -> Array:
    """(N, N) array of booleans: whether rows i and j have a label in common; with `others`, (N, M), row j is theirs.

    labels (N, 1), and others (M, 1): class numbers, similar if equal; DataError, as `class_numbers` raises it, for
    other numbers.
    labels (N, L), and others (M, L): a row holds 1 for each of its labels; rows are similar if their inner product is
    positive.
    """
    if labels.shape[1] == 1:
        classes = class_numbers(labels, where, name)[:, 0]
        theirs = classes if others is None else class_numbers(others, where, other_name)[:, 0]
        return classes[:, None] == theirs[None, :]
    return matrix_product(labels, (labels if others is None else others).T) > 0


def label_cosines(labels: Array, where: str, name: str) -> tuple[Array, Array]:
    """(N, N) cosines of the angles between rows of 0/1 labels (N, L), 0 for a row without labels; and (N, N) booleans:
    whether they are 0 or 1. With class numbers (N, 1) all of them are; DataError as in `similar`.
    """
    xp = array_module(labels)
    if labels.shape[1] == 1:
        alike = similar(labels, where, name)
        return alike.astype(labels.dtype), xp.ones_like(alike)
    common, sizes = matrix_product(labels, labels.T), labels.sum(axis=1)
    both = sizes[:, None] * sizes
    return common / xp.sqrt(xp.maximum(both, 1)), (common == 0) | (common * common == both)


@twin("blobnet.ops.cuda.pairs")
def pair_weights(alike: Array, labels: Array, times: float, shared: bool) -> Array:
    """(N, N) array: the weight of each pair, `times` where `alike` (N, N), else 1; 0 on the diagonal.

    `shared`: the weight of pairs alike is also multiplied by the part of their labels that both have (in common / in
    either), and all pairs by factors that give those alike and the others the same share in a sum.
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


@twin("blobnet.ops.cuda.pairs")
def label_pairs(a: Array, b: Array, times: float, shared: bool) -> tuple[Array, Array, Array, Array | int]:
    """For all pairs of rows of 0/1 labels, a and b (N, L): (N, N) whether they have a label in common, (N, N) weights,
    their sum, which is 1 where it would be 0, and shares.

    Weights are `times` for pairs alike, else 1, and 0 where c, the labels in common, is no number of labels. Shares:
    with `shared` (N, N) 4 c^2 / (|a|^2 |b|^2), 1 where c is 0; else 1.
    """
    xp, common = array_module(a), a @ b.T
    alike, shares = common > 0, 1
    weights = xp.where(alike, times, 1.0) * ((common >= 0) & (common < a.shape[1]))
    if shared:
        sizes = xp.outer(xp.square(a).sum(axis=1), xp.square(b).sum(axis=1))
        shares = xp.where(common == 0, 1, 4 * xp.square(common) / xp.where(sizes > 0, sizes, 1))
    total = weights.sum()
    return alike, weights, xp.where(total > 0, total, 1), shares


@twin("blobnet.ops.cuda.pairs")
def pull_gradient(signs: Array, u: Array) -> Array:
    """Row i: sum over j of signs[i, j] * (u_i - u_j); signs (N, N) symmetric, u (N, K)."""
    return signs.sum(axis=1, keepdims=True) * u - signs @ u


@twin("blobnet.ops.cuda.pairs")
def margin_loss(u: Array, alike: Array, margin: float, tradeoff: float, out: Array) -> tuple[Array, Array]:
    """The costs of all pairs of rows of u (N, K), and the signs of their slopes by D, the squared distance; (N, N).

    They are D and 1 where `alike` (N, N), else max(0, margin - D) and -1 or, where that is 0, 0. out () = half the mean
    of the costs of pairs i != j, nan of one row, + tradeoff / N * the sum of | |u| - 1 |.
    """
    xp, n = array_module(u), len(u)
    distances = squared_distances(u)
    gaps = margin - distances
    signs = xp.where(alike, 1.0, -(gaps > 0).astype(gaps.dtype))
    costs = xp.where(alike, distances, xp.maximum(gaps, 0))
    pairs = (costs.sum() - costs.trace()) / 2
    pull = xp.abs(xp.abs(u) - 1).sum()
    mean = pairs / (n * (n - 1)) if n > 1 else math.nan
    out[...] = mean + tradeoff * pull / n
    return costs, signs


@twin("blobnet.ops.cuda.pairs")
def margin_gradient(u: Array, signs: Array, weight: Array, factor: float, tradeoff: float, out: Array) -> None:
    """out (N, K) = weight * (factor / (N (N - 1)) * `pull_gradient` + tradeoff / N * the slopes of | |u| - 1 |)."""
    n = len(u)
    scale = weight * factor / max(1, n * (n - 1))
    pull = weight * tradeoff / n
    out[...] = pull_gradient(signs, u) * scale + binary_slopes(u) * pull


@twin("blobnet.ops.cuda.pairs")
def ranking_loss(p: Array, q: Array, margin: float, out: Array) -> Array:
    """What p, similarities (N,), lack of being larger than q by the margin, max(0, margin - p + q); out () = the mean.
    """
    lacks = array_module(p).maximum(margin - p + q, 0)
    out[...] = lacks.sum() / max(1, lacks.size)
    return lacks
