"""Which rows of a batch are of which class, so that sums over pairs become sums over classes."""

from __future__ import annotations

from blobnet.backend import array_module


def class_members(labels):
    """(N, C) float64 of 0 and 1: row n has its 1 in the column of its class, of the C classes that occur.

    labels (N,): equal after truncation to integers means one class.
    """
    xp = array_module(labels)
    classes = labels.astype(xp.int64)
    return (classes[:, None] == xp.unique(classes)).astype(xp.float64)
