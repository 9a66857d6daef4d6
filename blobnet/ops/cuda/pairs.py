"""All pairs of a batch: a thread, or a block for each row of them."""

from __future__ import annotations

import numpy as np

from blobnet.backend import Array, array_module
from blobnet.ops.cuda.launch import launch, launch_rows


def squared_distances(u: Array) -> Array:
    n = len(u)
    distances = array_module(u).empty((n, n), np.float64)
    launch("squared_distances", n * n, u, distances, *u.shape)
    return distances


def pair_weights(alike: Array, labels: Array, times: float, shared: bool) -> Array:
    xp, n = array_module(alike), len(alike)
    weights, counts = xp.empty((n, n), np.float64), xp.empty(n, np.float64) if shared else None
    if shared:
        launch_rows("alike_counts", n, alike, counts, n)
    launch_rows("pair_weights", n, labels, alike, counts, times, weights, *labels.shape)
    return weights


def label_pairs(a: Array, b: Array, times: float, shared: bool) -> tuple[Array, Array, Array, Array | int]:
    xp, n = array_module(a), len(a)
    alike, weights, sums = xp.empty((n, n), bool), xp.empty((n, n), np.float64), xp.empty(n, np.float64)
    shares, total = xp.empty((n, n), a.dtype) if shared else None, xp.empty((), np.float64)
    launch_rows("label_pairs", n, a, b, times, alike, weights, shares, sums, *a.shape)
    launch_rows("total_weight", 1, sums, total, n)
    return alike, weights, total, 1 if shares is None else shares


def pull_gradient(signs: Array, u: Array) -> Array:
    out = array_module(u).empty(u.shape, np.float64)
    launch("pull_gradient", out.size, signs.astype(np.float64, copy=False), u, out, *u.shape)
    return out


def margin_loss(u: Array, alike: Array, margin: float, tradeoff: float, out: Array) -> tuple[Array, Array]:
    xp, n = array_module(u), len(u)
    (costs, signs), sums = xp.empty((2, n, n), np.float64), xp.empty(2 * n, np.float64)
    launch_rows("margin_pairs", n, u, alike, margin, costs, signs, sums, *u.shape)
    launch_rows("margin_loss", 1, sums, tradeoff, out, n)
    return costs, signs


def margin_gradient(u: Array, signs: Array, weight: Array, factor: float, tradeoff: float, out: Array) -> None:
    n = len(u)
    launch("margin_gradient", u.size, u, signs, weight, factor / max(1, n * (n - 1)), tradeoff / n, out, *u.shape)


def ranking_loss(p: Array, q: Array, margin: float, out: Array) -> Array:
    lacks = array_module(p).empty_like(p)
    launch_rows("ranking_loss", 1, p, q, margin, lacks, out, p.size)
    return lacks
