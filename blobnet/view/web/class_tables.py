"""Which classes stand among the first results of the queries of each class."""

from __future__ import annotations

import numpy as np

from blobnet.hashing.codes import Codes
from blobnet.hashing.neighbours import Neighbours
from blobnet.log.html import html_table, remark
from blobnet.view.pictures import Extent, array_picture
from blobnet.view.web.cards import card, picture_html
from blobnet.view.web.heat import heat_table
from blobnet.view.web.statistics import Confusion, confusion

MOST = 30   # classes of a table that says every number
PAIRS = 20  # of classes, of a list in its place


def class_card(queries: Codes, base: Codes, found: Neighbours, average_precision: np.ndarray) -> str:
    """A card with a heat table or, for many classes, a picture and the pairs that are mistaken most; "" without labels.

    average_precision (Q,): its mean stands beside each class.
    """
    told = confusion(queries, base, found, average_precision)
    if told is None:
        return ""
    several = ("; a query or result with several labels counts for each, so rows may sum to more than 1"
               if queries.labels.ndim > 1 else "")
    return card(f"Classes among the first {found.offsets[1]} results",
                remark(f"For the queries of a class (row), the share of results with each class (column){several}."),
                _pairs(told) if max(told.shares.shape) > MOST else _table(told))


def _table(told: Confusion) -> str:
    rows = [(name, f"{count:,}", _number(mean)) for name, count, mean in zip(told.rows, told.counts, told.precision)]
    return heat_table("class", ["queries", "mAP", *told.columns], rows, told.shares)


def _number(mean: float) -> str:
    return f"{mean:.4f}" if np.isfinite(mean) else "-"


def _pairs(told: Confusion) -> str:
    """A picture of all shares, and the largest of those of two classes."""
    others = told.shares.copy()
    others[np.array(told.rows)[:, None] == np.array(told.columns)] = -1
    largest = np.argsort(-others, axis=None, kind="stable")[:PAIRS]
    cells = [(told.rows[i], told.columns[j], f"{told.shares[i, j]:.4f}")
             for i, j in zip(*np.unravel_index(largest, others.shape))]
    most = float(told.shares.max())
    said = f"shares of {len(told.rows)} x {len(told.columns)} classes, black 0, white {most:.2f}"
    return (picture_html(array_picture(told.shares, Extent(0.0, most, 0)), said)
            + html_table([("queries of", "results of", "share"), *cells], left=(0, 1)))
