"""Asymmetric deep supervised hashing: the codes of a database, learned bit by bit for the values a net has for queries.

Paper: Jiang and Li, Asymmetric Deep Supervised Hashing, AAAI 2018: the step that learns V while the net is held.

The objective, for a sample Omega of n of the M images, is

    J(V) = sum_ij (<u_i, v_j> - K s_ij)^2 + gamma * sum_i ||v_i - u_i||^2,   i in Omega, j of all images

with s_ij = 1 where images share a label and -r where not, r = similar pairs / others. As ||U V^T - K S||^2 is a
quadratic form of V, cyclic coordinate descent lowers it, one bit of all images at a time.
"""

from __future__ import annotations

import numpy as np

from blobnet.hashing.discrete_codes import cyclic_descent

PIECE = 4096  # images of the database that are compared with the sample at a time


def improve_codes(codes: np.ndarray, rows: np.ndarray, values: np.ndarray, labels: np.ndarray, gamma: float,
                  sweeps: int = 1) -> tuple[np.ndarray, list[float]]:
    """The codes V (M, K), -1 and +1, of a smaller objective, or the same; and the objective before and after.

    rows (n,): the sample, numbers of images; values (n, K) float: U, what the net makes of them; labels (M,) classes,
    or (M, L) columns of 0 and 1; sweeps over the bits, 1 in the paper.
    """
    values = values.astype(np.float64)
    pulled, squares = _wishes(values, rows, labels)
    bits = codes.shape[1]
    linear, gram = bits * pulled, values.T @ values
    np.add.at(linear, rows, gamma * values)
    constant = bits ** 2 * squares + gamma * ((values ** 2).sum() + bits * len(rows))

    def objective(codes: np.ndarray) -> float:
        return float(((codes @ gram) * codes).sum() - 2 * (codes * linear).sum() + constant)

    codes = codes.astype(np.float64)
    better = cyclic_descent(codes, linear, gram, sweeps)
    return better, [objective(codes), objective(better)]


def _wishes(values: np.ndarray, rows: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, float]:
    """S^T U (M, K), and the sum of the squares of S (n, M)."""
    pulled, similar = np.empty((len(labels), values.shape[1])), 0
    for start in range(0, len(labels), PIECE):
        alike = _alike(labels[rows], labels[start:start + PIECE])
        pulled[start:start + PIECE] = alike.T.astype(np.float64) @ values
        similar += int(alike.sum())
    others = len(rows) * len(labels) - similar
    ratio = similar / max(others, 1)
    return (1 + ratio) * pulled - ratio * values.sum(axis=0), similar + ratio ** 2 * others


def _alike(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Whether rows of labels have one in common, (len(a), len(b))."""
    return a[:, None] == b if a.ndim == 1 else a.astype(np.float32) @ b.astype(np.float32).T > 0
