"""Codes of -1 and +1 that minimize a quadratic form, bit by bit."""

from __future__ import annotations

import numpy as np


def signs(values: np.ndarray) -> np.ndarray:
    """+1 where a value is 0 or more, else -1: an array of the same shape and dtype, without the sign function's 0."""
    return np.where(values >= 0, 1, -1).astype(values.dtype)


def cyclic_descent(codes: np.ndarray, linear: np.ndarray, gram: np.ndarray, sweeps: int = 10) -> np.ndarray:
    """Lower f(B) = tr(B gram B^T) - 2 tr(B linear^T) over B in {-1, +1}^(N, K), starting from `codes`.

    codes (N, K); linear (N, K); gram (K, K) symmetric. f is a sum over rows; with all bits but the k-th held, the best
    k-th bit of every row is sgn(linear_k - sum_{j != k} B_j gram_jk), and one where that is 0 stays as it is. Ends
    when a sweep over the bits changes nothing, or after `sweeps`. No step raises f, which may end in a local minimum.

    ||X - B W^T||^2 + t ||H - B||^2 is f with gram = W^T W and linear = X W + t H, but for a constant.
    Paper: Shen, Shen, Liu and Shen, Supervised Discrete Hashing, CVPR 2015, discrete cyclic coordinate descent.
    """
    codes = codes.copy()
    others = gram - np.diag(np.diag(gram))
    for _ in range(sweeps):
        changed = False
        for k in range(codes.shape[1]):
            wish = linear[:, k] - codes @ others[:, k]
            bit = np.where(wish == 0, codes[:, k], np.sign(wish))
            changed = changed or not np.array_equal(bit, codes[:, k])
            codes[:, k] = bit
        if not changed:
            break
    return codes
