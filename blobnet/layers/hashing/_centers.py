"""Hash centres: codes, one a class, that lie far from each other."""

from __future__ import annotations

import numpy as np

DRAWS = 20  # sets of random centres, of which the best is taken


def hadamard(order: int) -> np.ndarray:
    """Sylvester's matrix of -1 and +1 (order, order), for a power of two: rows differ in half of their elements.

    >>> hadamard(4).tolist()
    [[1, 1, 1, 1], [1, -1, 1, -1], [1, 1, -1, -1], [1, -1, -1, 1]]
    """
    matrix = np.ones((1, 1), np.int64)
    while len(matrix) < order:
        matrix = np.block([[matrix, matrix], [matrix, -matrix]])
    return matrix


def hash_centers(classes: int, bits: int, seed: int) -> np.ndarray:
    """(classes, bits) of -1 and +1: the first rows of a Hadamard matrix of order `bits`, then of its negative.

    Otherwise, where `bits` is no power of two or there are more than 2 * bits classes, every bit is drawn by the toss
    of a coin, and a centre that is there already is drawn again. Of several draws the one counts whose nearest two
    centres are the farthest apart, among those with a mean distance of at least bits / 2, if there are any.
    ValueError for more classes than there are codes.
    Paper: Yuan et al., Central Similarity Quantization for Efficient Image and Video Retrieval, CVPR 2020, algorithm 1.
    """
    if bits & (bits - 1) == 0 and classes <= 2 * bits:
        matrix = hadamard(bits)
        return np.concatenate([matrix, -matrix])[:classes]
    if classes > 2 ** bits:
        raise ValueError(f"{bits} bits have no {classes} different codes")
    random = np.random.default_rng(seed)
    return max((_draw(random, classes, bits) for _ in range(DRAWS)), key=_quality)


def tie_bits(bits: int, seed: int) -> np.ndarray:
    """Bits (bits,) of 0 and 1, drawn by tosses of a coin."""
    return np.random.default_rng([seed, 1]).integers(0, 2, bits)


def distances(centers: np.ndarray) -> np.ndarray:
    """The Hamming distances of all pairs of centres, (C (C - 1) / 2,)."""
    products = centers.astype(float) @ centers.T
    return (centers.shape[1] - products[np.triu_indices(len(centers), 1)]) / 2


def _draw(random: np.random.Generator, classes: int, bits: int) -> np.ndarray:
    centers = random.integers(0, 2, (classes, bits)) * 2 - 1
    while len(first := _first(centers)) < classes:
        again = np.setdiff1d(np.arange(classes), first)
        centers[again] = random.integers(0, 2, (len(again), bits)) * 2 - 1
    return centers


def _first(centers: np.ndarray) -> np.ndarray:
    """The places where each different centre stands first. As bytes, for NumPy takes no rows of many numbers."""
    packed = np.packbits(centers > 0, axis=1)
    return np.unique(packed.view(np.dtype((np.void, packed.shape[1]))).ravel(), return_index=True)[1]


def _quality(centers: np.ndarray) -> tuple[bool, float]:
    found = distances(centers)
    return bool(found.size == 0 or found.mean() >= centers.shape[1] / 2), found.min(initial=centers.shape[1])
